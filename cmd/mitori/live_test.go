package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What extract --live refuses, with the code and the words; nothing is opened for it.
func TestLiveRefusals(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--live ftp://camera/x", 2, "http, https, rtsp, rtsps"},
		{"--live file:///etc/passwd", 2, "http, https, rtsp, rtsps"},
		{"--live - --raw 640x480", 2, "WIDTHxHEIGHT@FPS:LAYOUT"},
		{"--live - --raw 90000x90000@30:bgr24", 2, "8K"},
		{"--live - --format xml", 2, "ndjson, binary"},
		{"--live - --overlay x.mp4", 2, "exclude each other"},
		{"--live - --from 2s", 2, "exclude each other"},
		{"--live - --reconnect", 2, "cameras and streams"},
		{"--live - --mirror-pass alternate", 2, "never, both"},
		{"x.mp4 --mirror-pass sometimes", 2, "never, alternate, both"},
		{"x.mp4 --raw 64x48@30:bgr24", 2, "goes with --live"},
		{"x.mp4 --lag 3", 2, "goes with --live"},
		{"--live " + fifo, 3, "--live - <"},
		{"--live /dev/null", 3, "no camera"},
		{"--live 987", 1, "no camera /dev/video987"},
		{"--live none.mp4", 1, "none.mp4"},
	} {
		var out, errOut bytes.Buffer
		code := run(t.Context(), append([]string{"extract"}, strings.Fields(c.args)...), &out, &errOut)
		if code != c.code || !strings.Contains(errOut.String(), c.says) {
			t.Errorf("%s: exit %d, want %d; %s", c.args, code, c.code, errOut.String())
		}
	}
}
