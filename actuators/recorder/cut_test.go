package recorder

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// growing is a recording as it grew: how long the file was when a tick was handed to the
// recorder.
type growing struct {
	data   []byte
	before []int
	period time.Duration
}

func grow(t *testing.T, n, rateHz int, closed bool) growing {
	t.Helper()
	h := header()
	h.RateHz = rateHz
	var out bytes.Buffer
	r, err := start("mem.mcap", &out, h)
	if err != nil {
		t.Fatal(err)
	}
	g := growing{period: time.Second / time.Duration(rateHz)}
	for i := range n {
		s := sample(i)
		s.WallNs += int64(i/50%3) * int64(time.Hour) * int64(1-i/100%2*2) // somebody sets the clock
		s.MonoNs = int64(i)*int64(g.period) + int64(i*7919%3001)*100      // not quite in time
		g.before = append(g.before, out.Len())
		if err := r.Add(s, strings.Repeat("words ", i%40)); err != nil {
			t.Fatal(err)
		}
	}
	if closed {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	g.data = out.Bytes()
	return g
}

// handed is how many ticks had been handed to the recorder when the file was so long.
func (g *growing) handed(length int) (n int) {
	for n < len(g.before) && g.before[n] <= length {
		n++
	}
	return n
}

// Cut at any of 1,000 random bytes: it opens, what was whole is there, in order, and no more
// than a tenth of a second of what had been recorded before the cut is lost.
func TestTruncatedAnywhere(t *testing.T) {
	for _, rateHz := range []int{20, 100, 1000} {
		g := grow(t, 40+rateHz, rateHz, true)
		whole, err := Read(bytes.NewReader(g.data))
		if err != nil || len(whole.Ticks) != len(g.before) {
			t.Fatal(len(whole.Ticks), err)
		}
		most := time.Duration(0)
		rng := rand.New(rand.NewPCG(1, uint64(rateHz)))
		for range 100_000 / max(100, rateHz) {
			cut := 9 + rng.IntN(len(g.data)-9)
			f, err := Read(bytes.NewReader(g.data[:cut]))
			if err != nil {
				t.Fatalf("%d Hz, cut at %d of %d: %v", rateHz, cut, len(g.data), err)
			}
			if !f.Truncated || f.Damage != nil {
				t.Fatalf("%d Hz, cut at %d of %d: truncated %v, damage %v", rateHz, cut, len(g.data), f.Truncated, f.Damage)
			}
			for i, tick := range f.Ticks {
				if tick.Index != whole.Ticks[i].Index {
					t.Fatalf("cut at %d: tick %d is %d", cut, i, tick.Index)
				}
			}
			most = max(most, time.Duration(g.handed(cut)-len(f.Ticks))*g.period)
		}
		if most > 100*time.Millisecond {
			t.Errorf("%d Hz: %v are lost", rateHz, most)
		}
		t.Logf("%d Hz: at most %v lost", rateHz, most)
	}
}

func TestKillLosesLessThanATenthOfASecond(t *testing.T) {
	for n := range 40 {
		g := grow(t, 500+n, 100, false)
		f, err := Read(bytes.NewReader(g.data))
		if err != nil || time.Duration(500+n-len(f.Ticks))*g.period >= 100*time.Millisecond || !f.Truncated {
			t.Errorf("%d of %d ticks are in the file, truncated %v, error %v", len(f.Ticks), 500+n, f.Truncated, err)
		}
	}
}

// TestPythonReadsACutRecording lets the reader of the MCAP project (PyPI: mcap) read recordings that end anywhere. It
// needs that module, which comes by "make deps" into .deps/python.
func TestPythonReadsACutRecording(t *testing.T) {
	deps, err := filepath.Abs("../../.deps/python")
	if err != nil {
		t.Fatal(err)
	}
	python := func(args ...string) *exec.Cmd {
		c := exec.Command("python3", args...)
		c.Env = append(os.Environ(), "PYTHONPATH="+deps)
		return c
	}
	if err := python("-c", "import mcap.stream_reader").Run(); err != nil {
		t.Skipf("python3 has no mcap (%v): \"make deps\" installs it where there is one for this Python", err)
	}
	g := grow(t, 1000, 100, true)
	rng := rand.New(rand.NewPCG(3, 1))
	args := []string{"testdata/read.py"}
	var ours []int
	dir := t.TempDir()
	for i := range 20 {
		cut := len(g.data)
		if i > 0 {
			cut = len(g.data)/10 + rng.IntN(len(g.data)*9/10)
		}
		name := filepath.Join(dir, strconv.Itoa(i)+".mcap")
		if err := os.WriteFile(name, g.data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		args, ours = append(args, name), append(ours, len(f.Ticks))
	}
	out, err := python(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	if len(lines) != len(ours) {
		t.Fatalf("it said %q", lines)
	}
	for i, n := range ours {
		if lines[i] != strconv.Itoa(n) {
			t.Errorf("recording %d: it found %s ticks, we %d", i, lines[i], n)
		}
	}
}
