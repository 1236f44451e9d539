package crash

import (
	"strings"
	"sync"
	"testing"
)

// A panic on the main thread is an error of the run, not the end of the process.
func TestPanicOnTheMainThread(t *testing.T) {
	var failed Net
	func() {
		defer failed.Caught("the main thread")
		var nothing []int
		_ = nothing[len(nothing)]
	}()
	if err := failed.Err(); err == nil || !strings.Contains(err.Error(), "the main thread") {
		t.Errorf("%v", err)
	}
}

// Torque is cut once for each panic, also for one that came before there was torque.
func TestEveryPanicCuts(t *testing.T) {
	var failed Net
	var cuts int
	panicking := func() {
		defer failed.Caught("a test")
		panic("one")
	}
	panicking()
	failed.Arm(func() { cuts++ })
	if cuts != 1 {
		t.Errorf("a panic before there was torque: cut %d times", cuts)
	}
	panicking()
	if cuts != 2 {
		t.Errorf("a second panic: cut %d times", cuts)
	}
	failed.Arm(nil)
	panicking()
	if cuts != 2 {
		t.Error("cut without torque")
	}
	var started sync.WaitGroup
	started.Add(1)
	failed.Start("a goroutine", func() { defer started.Done(); panic("two") })
	started.Wait()
	if err := failed.Err(); err == nil || !strings.Contains(err.Error(), "in a test: one") {
		t.Errorf("the first panic is lost: %v", err)
	}
}
