package newest

import (
	"slices"
	"testing"
)

// What is taken are the last values put, in order; all others were handed back once.
func TestTheOldestIsLeftOut(t *testing.T) {
	for _, places := range []int{1, 3} {
		s := make(Slot[int], places)
		var back, taken []int
		for v := range 7 {
			if old, dropped := s.Put(v); dropped {
				back = append(back, old)
			}
		}
		close(s)
		for v := range s {
			taken = append(taken, v)
		}
		if all := append(slices.Clone(back), taken...); !slices.Equal(all, []int{0, 1, 2, 3, 4, 5, 6}) || len(taken) != places {
			t.Errorf("%d places: left out %v, taken %v", places, back, taken)
		}
	}
}

// With somebody who takes beside it nothing is lost or doubled, and order holds.
func TestTakenBeside(t *testing.T) {
	s := make(Slot[int], 2)
	var taken []int
	done := make(chan struct{})
	go func() {
		defer close(done)
		for v := range s {
			taken = append(taken, v)
		}
	}()
	const n = 10000
	var back []int
	for v := range n {
		if old, dropped := s.Put(v); dropped {
			back = append(back, old)
		}
	}
	close(s)
	<-done
	if !slices.IsSorted(taken) || !slices.IsSorted(back) || len(taken)+len(back) != n {
		t.Errorf("%d taken, %d left out of %d", len(taken), len(back), n)
	}
}
