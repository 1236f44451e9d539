package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

func TestBenchRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	for want, args := range map[string][]string{
		"no row matches": {"--only", "nothing"},
		"WIDTHxHEIGHT":   {"--size", "small"},
		"legal: 1 to 64": {"--jobs", "0"},
		"unknown":        {"everything"},
		"no such file":   {"--against", "gone.json"},
	} {
		var out, errOut bytes.Buffer
		code := run(context.Background(), append([]string{"bench", "perception"}, args...), &out, &errOut)
		if code == fault.ExitDone || !strings.Contains(errOut.String(), want) {
			t.Errorf("%v: exit code %d, %q does not contain %q", args, code, errOut.String(), want)
		}
	}
	var out, errOut bytes.Buffer
	if code := run(context.Background(), []string{"bench", "perception", "--list"}, &out, &errOut); code != fault.ExitDone || strings.Count(out.String(), "\n") < 60 {
		t.Errorf("exit code %d, %d rows: %s", code, strings.Count(out.String(), "\n"), errOut.String())
	}
}
