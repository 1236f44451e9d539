package loop_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/driver/drivertest"
	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/body"
)

// latenessVariable is how long the loop runs beside a C program, e.g. 10m; without it the
// comparison is skipped.
const latenessVariable = "MITORI_LATENESS"

const (
	latenessHz = 1000
	// strictFrom is how long a comparison must be to decide anything.
	strictFrom = 10 * time.Minute
	mostTimes  = 2.0
)

// quantiles are of lateness, ns.
type quantiles struct{ n, missed, p50, p99, p999, max, priority int64 }

func (q quantiles) String() string {
	return fmt.Sprintf("%d periods, %d missed, late p50 %.1f p99 %.1f p99.9 %.1f max %.1f us, real-time priority %v",
		q.n, q.missed, float64(q.p50)/1e3, float64(q.p99)/1e3, float64(q.p999)/1e3, float64(q.max)/1e3, q.priority == 1)
}

// rival builds the C program.
func rival(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "lateness")
	if out, err := exec.Command("cc", "-O2", "-o", exe, "testdata/lateness.c").CombinedOutput(); err != nil {
		t.Skipf("no C compiler to compare with: %v\n%s", err, out)
	}
	return exe
}

// fakeLoop is a loop at 1 kHz around joints in memory.
func fakeLoop(t *testing.T, ring *trace.Ring, b *body.Body) *loop.Loop {
	t.Helper()
	cfg := limits.Derive(b.Desc, limits.ShapeOf(b), latenessHz, 1)
	cfg.Thresholds.Overruns = math.MaxInt // this is about how late it is
	l, err := loop.New(cfg, drivertest.NewFake(len(b.Desc.Joints)), nil, ring)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// workNs is how long a tick of the loop takes, sleeping apart.
func workNs(t *testing.T, b *body.Body) int64 {
	t.Helper()
	l := fakeLoop(t, nil, b)
	const ticks = 5000
	began := realtime.NowNs()
	for n := range int64(ticks) {
		if n == ticks/10 {
			l.Request(mode.Arm)
		}
		l.Tick(loop.Instant{Tick: n, MonoNs: n})
	}
	return (realtime.NowNs() - began) / ticks
}

// watcher is the other side of the ring: it keeps every lateness, and looks at memory.
type watcher struct {
	late   []int64
	missed int64
	gap    int64 // the most missed at once
	held   atomic.Bool
	keep   atomic.Bool
	rssKB  []float64 // a second apart
}

func (w *watcher) drain(ring *trace.Ring) {
	for s := ring.Next(); s != nil; s = ring.Next() {
		w.held.Store(s.Mode == mode.Hold)
		if w.keep.Load() && len(w.late) < cap(w.late) {
			w.late, w.missed, w.gap = append(w.late, s.LateNs), w.missed+s.Skipped, max(w.gap, s.Skipped)
		}
		ring.Release()
	}
}

// resident is the memory that the process has in RAM, kB; it allocates nothing.
func resident(statm *os.File, buf []byte) float64 {
	n, err := statm.ReadAt(buf, 0)
	if err != nil && n == 0 {
		return math.NaN()
	}
	pages, field := 0, 0
	for _, c := range buf[:n] {
		switch {
		case c == ' ':
			field++
		case field == 1:
			pages = 10*pages + int(c-'0')
		}
	}
	return float64(pages) * float64(os.Getpagesize()) / 1024
}

// touched empties room that is in RAM already, so that filling it is no growth.
func touched[T int64 | float64](room []T) []T {
	for i := range room {
		room[i] = 1
	}
	return room[:0]
}

// slopePerHour is the straight line through values a second apart.
func slopePerHour(v []float64) float64 {
	n := float64(len(v))
	var sx, sy, sxx, sxy float64
	for i, y := range v {
		x := float64(i)
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx) * 3600
}

// The loop at 1 kHz beside a C program that sleeps on the same clock with the same
// priority and does as much in every period, at the same time on the same machine. While
// the robot carries torque nothing is allocated and no garbage is collected.
func TestLatenessBesideC(t *testing.T) {
	span, err := time.ParseDuration(os.Getenv(latenessVariable))
	if err != nil || span < 5*time.Second {
		t.Skipf("%s=10m runs the loop so long beside a C program; at least 5s", latenessVariable)
	}
	exe := rival(t)
	b, err := body.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	work := workNs(t, b)
	seconds := int(span / time.Second)
	ring := trace.NewRing(latenessHz, len(b.Desc.Joints))
	l := fakeLoop(t, ring, b)
	w := &watcher{late: touched(make([]int64, seconds*latenessHz)), rssKB: touched(make([]float64, seconds+2))}
	statm, err := os.Open("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	defer statm.Close()
	page := make([]byte, 128)
	defer realtime.TuneMemory()()
	over, watched, flown := make(chan struct{}), make(chan struct{}), make(chan loop.Stats, 1)
	go func() {
		defer close(watched)
		for {
			select {
			case <-over:
				return
			default:
				w.drain(ring)
				realtime.SleepUntil(realtime.NowNs() + int64(10*time.Millisecond))
			}
		}
	}()
	go func() {
		s, _ := l.Run(context.Background(), 70)
		flown <- s
	}()
	time.Sleep(time.Second)
	for tries := 0; !w.held.Load(); tries++ {
		if tries == 10 {
			t.Fatal("not armed in ten seconds")
		}
		l.Request(mode.Arm)
		time.Sleep(time.Second)
	}
	c := exec.Command(exe, fmt.Sprint(latenessHz), fmt.Sprint(seconds), fmt.Sprint(work))
	var told bytes.Buffer
	if c.Stdout = &told; c.Start() != nil {
		t.Fatal("the C program does not start")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w.keep.Store(true)
	for end := realtime.NowNs() + int64(span); realtime.NowNs() < end; {
		realtime.SleepUntil(realtime.NowNs() + int64(time.Second))
		w.rssKB = append(w.rssKB, resident(statm, page))
	}
	w.keep.Store(false)
	runtime.ReadMemStats(&after)
	held := w.held.Load()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	l.Stop()
	s := <-flown
	close(over)
	<-watched
	report(t, w, told.String(), work, s, held, after.Mallocs-before.Mallocs, after.NumGC-before.NumGC, span)
}

func report(t *testing.T, w *watcher, told string, work int64, s loop.Stats, held bool, mallocs uint64, gcs uint32, span time.Duration) {
	t.Helper()
	var c quantiles
	if _, err := fmt.Sscan(told, &c.n, &c.missed, &c.p50, &c.p99, &c.p999, &c.max, &c.priority); err != nil {
		t.Fatalf("the C program said %q: %v", told, err)
	}
	slices.Sort(w.late)
	n := len(w.late)
	g := quantiles{int64(n), w.missed, w.late[n/2], w.late[n*99/100], w.late[n*999/1000], w.late[n-1], 1}
	if len(s.Notes) > 0 {
		g.priority = 0
	}
	t.Logf("%v at %d Hz, %.1f us of work in each period, both at the same time on %d processors", span, latenessHz, float64(work)/1e3, runtime.NumCPU())
	t.Logf("C:    %v", c)
	t.Logf("loop: %v; at most %d missed at once", g, w.gap)
	for _, note := range s.Notes {
		t.Logf("note: %s", note)
	}
	ratio := func(a, b int64) float64 { return float64(a) / float64(max(b, 1)) }
	r := []float64{ratio(g.p50, c.p50), ratio(g.p99, c.p99), ratio(g.p999, c.p999)}
	t.Logf("loop / C: p50 %.2f, p99 %.2f, p99.9 %.2f", r[0], r[1], r[2])
	t.Logf("while armed: %d allocations, %d garbage collections, memory in RAM %.0f kB, slope %.0f kB/h", mallocs, gcs, w.rssKB[len(w.rssKB)-1], slopePerHour(w.rssKB))
	if !held || gcs != 0 || mallocs > uint64(span/time.Second) {
		t.Errorf("armed to the end: %v, %d allocations, %d garbage collections", held, mallocs, gcs)
	}
	for i, q := range []string{"p50", "p99", "p99.9"} {
		if span >= strictFrom && r[i] > mostTimes {
			t.Errorf("%s is %.2f times that of C, want %g or less", q, r[i], mostTimes)
		}
	}
}
