package imitate

import "testing"

func TestMemoryOverwritesTheOldest(t *testing.T) {
	const rows = 100
	m := newMemory(rows, 1, 1)
	for i := range rows + 3 {
		m.add([]float32{float32(i)}, []float32{float32(-i)})
		if want := min(i+1, rows); m.count != want {
			t.Fatalf("after %d observations, %d are remembered, want %d", i+1, m.count, want)
		}
	}
	if m.next != 3 || m.seen[2] != rows+2 || m.wanted[3] != -3 {
		t.Errorf("next %d, memory %v", m.next, m.seen[:5])
	}
	again := newMemory(rows, 1, 1)
	if err := again.setState(m.state()); err != nil || again.seen[2] != m.seen[2] || again.next != 3 || again.count != rows {
		t.Errorf("state does not survive: %v", err)
	}
}

func TestMemoryRefusesWhatDoesNotFit(t *testing.T) {
	m := newMemory(4, 2, 1)
	m.add([]float32{1, 2}, []float32{3})
	for name, spoil := range map[string]func(*memoryState){
		"count": func(s *memoryState) { s.Count = 5 }, "negative": func(s *memoryState) { s.Count = -1 },
		"next": func(s *memoryState) { s.Next = 4 }, "seen": func(s *memoryState) { s.Seen = s.Seen[:7] },
		"wanted": func(s *memoryState) { s.Wanted = nil },
	} {
		s := m.state()
		spoil(&s)
		if err := newMemory(4, 2, 1).setState(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
