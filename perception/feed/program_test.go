package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/perception/video"
)

// reelOf makes thirty frames, whose rows are no multiple of four bytes, red above and blue below, as a transport stream.
func reelOf(t *testing.T) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not here")
	}
	out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "color=red:size=62x24:duration=3:rate=10",
		"-f", "lavfi", "-i", "color=blue:size=62x24:duration=3:rate=10", "-filter_complex", "vstack",
		"-c:v", "mpeg4", "-g", "1", "-qscale:v", "1", "-f", "mpegts", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func stream(t *testing.T, url string) Source {
	t.Helper()
	p, err := Parse(url, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newProgram(p, time.Now(), silences{5 * time.Minute, 5 * time.Minute}) // machines may be busy
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Every picture of a stream comes, the right way up, by rising times, until it ends.
func TestStreamOverHTTP(t *testing.T) {
	ts := reelOf(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(ts) }))
	defer server.Close()
	s := stream(t, server.URL+"/a.ts")
	lastS, n := -1.0, 0
	for {
		f, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.WidthPx != 62 || f.HeightPx != 48 || f.TimeS <= lastS {
			t.Fatalf("%d x %d at %g s after %g s", f.WidthPx, f.HeightPx, f.TimeS, lastS)
		}
		above, below := f.Pix[3*(62*4+60):], f.Pix[3*(62*44+60):]
		if above[2] < 180 || above[0] > 80 || below[0] < 180 || below[2] > 80 {
			t.Fatalf("picture %d: above %v, below %v (blue, green, red)", n, above[:3], below[:3])
		}
		lastS = f.TimeS
		n++
		f.Release()
	}
	if n != 30 {
		t.Errorf("%d of 30 pictures", n)
	}
}

// A playlist from the network that names files of this machine is refused, and they
// stay unread.
func TestPlaylistOfLocalFilesIsRefused(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.ts")
	if err := os.WriteFile(secret, reelOf(t), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n", secret)
	}))
	defer server.Close()
	f, err := stream(t, server.URL+"/a.m3u8").Next()
	if !errors.Is(err, infile.ErrUnusable) || f != nil {
		t.Errorf("a picture %v, error %v; a refusal is wanted", f != nil, err)
	}
}

// What is no video, what is not there, and what is cut off in the middle.
func TestBadStreams(t *testing.T) {
	ts := reelOf(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/text":
			_, _ = fmt.Fprint(w, strings.Repeat("this is no video\n", 100))
		case "/cut":
			w.Header().Set("Content-Length", fmt.Sprint(10*len(ts)))
			_, _ = w.Write(ts[:len(ts)/2])
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for path, pictures := range map[string]int{"/text": 0, "/none?key=secret": 0, "/cut": 1} {
		s := stream(t, server.URL+path)
		n := 0
		var err error
		for err == nil {
			var f *video.Frame
			if f, err = s.Next(); err == nil {
				n++
				f.Release()
			}
		}
		if n < pictures || pictures == 0 && n > 0 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %d pictures, then %v", path, n, err)
		}
		t.Logf("%s: %d pictures, then %v", path, n, err)
	}
}

// A server that says nothing more is left by Stop.
func TestStopEndsAWaitingNext(t *testing.T) {
	ts := reelOf(t)
	ctx, release := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(ts)
		w.(http.Flusher).Flush()
		<-ctx.Done()
	}))
	defer server.Close()
	defer release()
	s := stream(t, server.URL)
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		for {
			if _, err := s.Next(); err != nil {
				ended <- err
				return
			}
		}
	}()
	s.Stop()
	if err := <-ended; !errors.Is(err, ErrGone) {
		t.Errorf("stopped: %v", err)
	}
}
