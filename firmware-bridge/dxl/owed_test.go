package dxl

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// slowLine is a line of healthy devices that holds answers back, and keeps their order.
// Every byte of data in an answer is the number of the request that it answers.
type slowLine struct {
	hold    func() time.Duration // of the next answer
	clock   time.Time
	timeout time.Duration
	dec     *Decoder
	sent    byte // requests that want an answer
	in      []held
}

type held struct {
	due   time.Time
	bytes []byte
}

func newSlowLine(hold func() time.Duration) *slowLine {
	return &slowLine{hold: hold, clock: time.Unix(0, 0), dec: NewDecoder(4096)}
}

func (l *slowLine) Write(b []byte) (int, error) {
	l.dec.Feed(b)
	var p Packet
	for l.dec.Next(&p) == Got {
		reply := l.answer(&p)
		if reply == nil {
			continue
		}
		due := l.clock.Add(l.hold())
		if n := len(l.in); n > 0 && due.Before(l.in[n-1].due) {
			due = l.in[n-1].due
		}
		l.in = append(l.in, held{due, reply})
	}
	return len(b), nil
}

func (l *slowLine) answer(p *Packet) (out []byte) {
	data := make([]byte, int(p.Params[2])|int(p.Params[3])<<8)
	l.sent++
	for i := range data {
		data[i] = l.sent
	}
	switch p.Instruction {
	case InstRead:
		return Append(nil, &Packet{ID: p.ID, Instruction: InstStatus, Params: data})
	case InstSyncRead:
		for _, id := range p.Params[4:] {
			out = Append(out, &Packet{ID: ID(id), Instruction: InstStatus, Params: data})
		}
		return out
	case InstFastSyncRead:
		out = AppendFastHeader(nil, (len(p.Params)-4)*fastBlockLen(len(data)))
		for _, id := range p.Params[4:] {
			out = AppendFastBlock(out, 0, ID(id), 0, data)
		}
		return out
	}
	return nil
}

func (l *slowLine) Read(p []byte) (int, error) {
	end := l.clock.Add(l.timeout)
	if len(l.in) == 0 || l.in[0].due.After(end) {
		l.clock = end
		return 0, os.ErrDeadlineExceeded
	}
	if l.in[0].due.After(l.clock) {
		l.clock = l.in[0].due
	}
	n := copy(p, l.in[0].bytes)
	if l.in[0].bytes = l.in[0].bytes[n:]; len(l.in[0].bytes) == 0 {
		l.in = l.in[1:]
	}
	return n, nil
}

func (l *slowLine) SetReadTimeout(d time.Duration) error { l.timeout = d; return nil }

func (l *slowLine) ResetInput() error {
	for len(l.in) > 0 && !l.in[0].due.After(l.clock) {
		l.in = l.in[1:]
	}
	return nil
}

// readers is what a tick asks for: blocks of several devices and of single ones, of
// lengths that a late answer of another reader could have.
func readers(t *testing.T, b *Bus) (all []*SyncReader) {
	for _, r := range []struct {
		ids  []ID
		addr uint16
		size int
		mode ReadMode
	}{
		{[]ID{1, 2, 3, 4, 5}, 126, 10, Fast}, {[]ID{200}, 24, 40, Plain}, {[]ID{1}, 64, 7, Plain},
		{[]ID{1, 2, 3}, 126, 10, Plain}, {[]ID{1}, 144, 3, Plain}, {[]ID{1}, 126, 10, Plain},
		{[]ID{1, 2, 3, 4, 5}, 64, 1, Fast}, {[]ID{1}, 98, 1, Plain},
	} {
		reader, err := NewSyncReader(b, r.ids, r.addr, r.size, r.mode)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, reader)
	}
	return all
}

// However long answers are held back, an answer that is taken is one to this request;
// and when they are not held back any more, everything is answered again.
func TestLateAnswersAreNeverFresh(t *testing.T) {
	for seed := range uint64(90) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var fixed time.Duration
		line := newSlowLine(func() time.Duration {
			switch seed % 3 {
			case 0: // always the same, as an adapter's timer
				return fixed
			case 1: // a line that hangs now and then
				if rng.IntN(10) == 0 {
					return time.Duration(rng.IntN(60)) * time.Millisecond
				}
				return 0
			}
			return time.Duration(rng.ExpFloat64() * float64(fixed))
		})
		bus := NewBus(line, Config{Margin: 4 * time.Millisecond, ReturnDelay: 100 * time.Microsecond,
			Now: func() time.Time { return line.clock }})
		all := readers(t, bus)
		ask := func(r *SyncReader) (answered int) {
			err := r.Read()
			for i := range r.Len() {
				if r.Outcome(i) != Answered {
					continue
				}
				answered++
				if got := r.Data(i)[0]; got != line.sent {
					t.Fatalf("seed %d, held back by %v: the answer to request %d was taken for that to %d", seed, fixed, got, line.sent)
				}
			}
			if (answered == r.Len()) != (err == nil) {
				t.Fatalf("seed %d: %d of %d answered, error %v", seed, answered, r.Len(), err)
			}
			return answered
		}
		for range 30 {
			fixed = time.Duration(rng.IntN(80_000)) * time.Microsecond
			for range rng.IntN(60) {
				ask(all[rng.IntN(len(all))])
				line.clock = line.clock.Add(time.Duration(rng.IntN(8000)) * time.Microsecond)
			}
			var b [4]byte
			if err := bus.ReadBytes(1, 130, b[:]); err == nil && b[0] != line.sent {
				t.Fatalf("seed %d: the answer to request %d was taken for that to %d", seed, b[0], line.sent)
			} else if err != nil && !errors.Is(err, ErrLinkLost) && !errors.Is(err, ErrBadData) {
				t.Fatal(err)
			}
		}
		line.hold = func() time.Duration { return 0 }
		line.clock = line.clock.Add(time.Second)
		for k, r := range all {
			if ask(r) != r.Len() {
				t.Fatalf("seed %d: reader %d finds a healthy line silent", seed, k)
			}
		}
	}
}

// On a line that answers in time nothing is asked for but what is wanted.
func TestCertaintyCostsNothing(t *testing.T) {
	line := newSlowLine(func() time.Duration { return 0 })
	bus := NewBus(line, Config{Now: func() time.Time { return line.clock }})
	for _, r := range readers(t, bus) {
		if err := r.Read(); err != nil || r.lead != 0 {
			t.Errorf("%v, asked for %d bytes more", err, r.lead)
		}
	}
	if bus.owed.probe != 0 {
		t.Errorf("%d probes", bus.owed.probe)
	}
}

// Also where nobody answers a read allocates nothing.
func TestSilenceAllocatesNothing(t *testing.T) {
	line := newSlowLine(func() time.Duration { return time.Hour })
	bus := NewBus(deaf{line}, Config{Now: func() time.Time { return line.clock }})
	all := readers(t, bus)
	if n := testing.AllocsPerRun(100, func() {
		for _, r := range all {
			if r.Read() == nil {
				t.Error("silence was taken for an answer")
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if bus.owed.probe == 0 {
		t.Error("the line was never probed")
	}
}

// deaf is a line on which nobody hears anything.
type deaf struct{ *slowLine }

func (deaf) Write(b []byte) (int, error) { return len(b), nil }
