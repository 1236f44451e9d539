package estop

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errGone = errors.New("no such device")

// Open, broken and unreadable are pressed from the first reading on; closed is released only
// after it was so without a break.
func TestContact(t *testing.T) {
	var c Contact
	if !c.Step(true, nil, Every) {
		t.Fatal("released at the first look")
	}
	settle := func() (n int) {
		for n = 1; c.Step(true, nil, Every); n++ {
		}
		return n
	}
	settle()
	for name, press := range map[string]func() bool{
		"open":       func() bool { return c.Step(false, nil, Every) },
		"unreadable": func() bool { return c.Step(true, errGone, Every) },
	} {
		if c.Step(true, nil, Every) {
			t.Fatal("not released")
		}
		if !press() {
			t.Errorf("%s for one reading is no press", name)
		}
		if n := settle(); n != int(ReleaseAfter/Every) {
			t.Errorf("%s: released after %d readings, want %d", name, n, ReleaseAfter/Every)
		}
	}
	for k := range 1000 { // it bounces: open once in 40 ms
		if !c.Step(k%20 != 0, nil, Every) {
			t.Fatalf("released while it bounces, at %d", k)
		}
	}
	// Whoever did not look for a long time knows no more than at one look.
	c = Contact{}
	if !c.Step(true, nil, time.Hour) {
		t.Error("a pause counts as a closed contact")
	}
}

// fake is a line whose state a test changes.
type fake struct{ state atomic.Int32 } // 0 open, 1 closed, 2 unreadable

func (f *fake) Closed() (bool, error) {
	switch f.state.Load() {
	case 2:
		return true, errGone
	case 1:
		return true, nil
	}
	return false, nil
}

// What is told: pressed at the start whatever the line says, then every change, in time.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.state.Store(1)
		ctx, cancel := context.WithCancel(t.Context())
		var pressed atomic.Bool
		var news, unread atomic.Int32
		done := make(chan bool)
		go func() {
			defer close(done)
			Watch(ctx, f, func(p bool, why error) {
				pressed.Store(p)
				news.Add(1)
				if why != nil {
					unread.Add(1)
				}
			})
		}()
		synctest.Wait()
		if !pressed.Load() || news.Load() != 1 {
			t.Fatal("free before it was looked at")
		}
		after := func(state int32, d time.Duration, want bool) {
			t.Helper()
			f.state.Store(state)
			time.Sleep(d)
			synctest.Wait()
			if pressed.Load() != want {
				t.Errorf("state %d, %v later: pressed %v", state, d, pressed.Load())
			}
		}
		after(1, 40*time.Millisecond, true)
		after(1, 20*time.Millisecond, false)
		after(0, 3*time.Millisecond, true)
		after(1, time.Second, false)
		after(2, 3*time.Millisecond, true)
		after(2, time.Second, true)
		after(1, time.Second, false)
		if n := news.Load(); n != 7 || unread.Load() != 1 {
			t.Errorf("told %d times, %d of them unreadable", n, unread.Load())
		}
		cancel()
		<-done
	})
}
