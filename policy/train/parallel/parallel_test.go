package parallel

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

func TestCutCoversEveryItemOnce(t *testing.T) {
	for n := range 50 {
		for parts := 1; parts < 9; parts++ {
			at := 0
			for part := range parts {
				from, to := Cut(n, parts, part)
				if from != at || to < from || to-from > n/parts+1 {
					t.Fatalf("%d items, part %d of %d: %d to %d, want from %d", n, part, parts, from, to, at)
				}
				at = to
			}
			if at != n {
				t.Errorf("%d items in %d parts end at %d", n, parts, at)
			}
		}
	}
	for _, c := range [][3]int{{0, 5, 0}, {1, 5, 1}, {5, 5, 1}, {6, 5, 2}} {
		if got := Parts(c[0], c[1]); got != c[2] {
			t.Errorf("%d items of %d a part: %d parts, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestRunTakesEveryPartOnceAndNoWorkerTwiceAtATime(t *testing.T) {
	for _, workers := range []int{0, 1, 2, 3, 8} {
		const parts = 200
		var took [parts]atomic.Int32
		busy := make([]atomic.Int32, max(workers, 1))
		err := Run(workers, parts, func(worker, part int) error {
			if busy[worker].Add(1) != 1 {
				t.Errorf("worker %d has two parts at a time", worker)
			}
			took[part].Add(1)
			runtime.Gosched()
			busy[worker].Add(-1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for part := range took {
			if n := took[part].Load(); n != 1 {
				t.Errorf("%d workers: part %d ran %d times", workers, part, n)
			}
		}
	}
	if err := Run(3, 0, func(int, int) error { return errors.New("no part, no call") }); err != nil {
		t.Error(err)
	}
}

func TestRunUsesAsManyWorkersAsItMay(t *testing.T) {
	// Three parts that wait for each other end only if three of them run at a time.
	meet := make(chan struct{}, 3)
	err := Run(3, 3, func(int, int) error {
		meet <- struct{}{}
		for len(meet) < 3 {
			runtime.Gosched()
		}
		return nil
	})
	if err != nil || Workers() != runtime.GOMAXPROCS(0) {
		t.Errorf("%v, %d workers", err, Workers())
	}
}

func TestRunGivesTheErrorOfTheFirstPart(t *testing.T) {
	for _, workers := range []int{1, 2, 4} {
		ran := atomic.Int32{}
		err := Run(workers, 20, func(_, part int) error {
			ran.Add(1)
			if part >= 7 {
				return fmt.Errorf("part %d", part)
			}
			return nil
		})
		if err == nil || err.Error() != "part 7" || ran.Load() != 20 {
			t.Errorf("%d workers: %v after %d parts, want the error of part 7 after all 20", workers, err, ran.Load())
		}
	}
}
