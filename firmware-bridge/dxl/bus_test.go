package dxl

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// script is a port that answers each write from a list, and checks what is written.
type script struct {
	t      *testing.T
	want   []string // hex of each expected write; "" accepts anything
	answer []string // hex of what then arrives; spaces ignored, "|" splits reads
	at     int
	in     [][]byte
	clock  time.Time
	resets int
	err    error         // of the next write or read
	held   time.Duration // the clock jumps by this before the first read
}

func newScript(t *testing.T, pairs ...string) *script {
	s := &script{t: t, clock: time.Unix(0, 0)}
	for i := 0; i < len(pairs); i += 2 {
		s.want, s.answer = append(s.want, pairs[i]), append(s.answer, pairs[i+1])
	}
	return s
}

func (s *script) bus(retries int) *Bus {
	return NewBus(s, Config{Baud: 1_000_000, Retries: retries, Now: func() time.Time { return s.clock }})
}

func (s *script) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.at >= len(s.want) {
		s.t.Fatalf("unexpected write % X", b)
	}
	if w := s.want[s.at]; w != "" && !bytes.Equal(unhex(s.t, w), b) {
		s.t.Fatalf("write %d is % X, want %s", s.at, b, w)
	}
	for _, part := range strings.Split(s.answer[s.at], "|") {
		if p := unhex(s.t, part); len(p) > 0 {
			s.in = append(s.in, p)
		}
	}
	s.at++
	return len(b), nil
}

// Read lets the clock run when nothing is there.
func (s *script) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.clock, s.held = s.clock.Add(s.held), 0
	if len(s.in) == 0 {
		s.clock = s.clock.Add(time.Second)
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, s.in[0])
	if s.in[0] = s.in[0][n:]; len(s.in[0]) == 0 {
		s.in = s.in[1:]
	}
	return n, nil
}

func (s *script) SetReadTimeout(time.Duration) error { return nil }
func (s *script) ResetInput() error                  { s.in = nil; s.resets++; return nil }

const (
	ping1  = "FF FF FD 00 01 03 00 01 19 4E"
	pong1  = "FF FF FD 00 01 07 00 55 00 06 04 26 65 5D"
	read1  = "FF FF FD 00 01 07 00 02 84 00 04 00 1D 15"
	got166 = "FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0"
	empty1 = "FF FF FD 00 01 04 00 55 00 A1 0C"
)

func TestPing(t *testing.T) {
	for name, answer := range map[string]string{
		"plain": pong1, "in pieces": "FF FF|FD 00 01 07 00 55 00 06|04 26 65 5D", "after noise": "00 FF FF" + pong1,
		"after the echo of a half-duplex adapter": ping1 + pong1,
		"after a late answer of another":          "FF FF FD 00 02 04 00 55 00" + crcHex(t, "FF FF FD 00 02 04 00 55 00") + pong1,
	} {
		f, err := newScript(t, ping1, answer).bus(0).Ping(1)
		if err != nil || f != (Found{ID: 1, Model: 1030, Firmware: 38}) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func crcHex(t *testing.T, s string) string {
	c := CRC(0, unhex(t, s))
	const digits = "0123456789ABCDEF"
	b := []byte{byte(c), byte(c >> 8)}
	return string([]byte{digits[b[0]>>4], digits[b[0]&15], digits[b[1]>>4], digits[b[1]&15]})
}

// TestFailures keeps bad data and a lost link apart.
func TestFailures(t *testing.T) {
	broken := "FF FF FD 00 01 08 00 55 00 A7 00 00 00 8C C0"
	for _, c := range []struct {
		name, answer string
		want         error
		word         string
		count        Counters
	}{
		{"silence", "", ErrLinkLost, "no answer", Counters{Silent: 1}},
		{"wrong checksum", broken, ErrBadData, "checksum", Counters{Damaged: 1}},
		{"cut off", got166[:20], ErrBadData, "broke off", Counters{Damaged: 1}},
		{"wrong length", empty1, ErrBadData, "0 bytes of data instead of 4", Counters{Damaged: 1}},
		{"somebody else", "FF FF FD 00 02 08 00 55 00 A6 00 00 00" + crcHex(t, "FF FF FD 00 02 08 00 55 00 A6 00 00 00"), ErrBadData, "device 2 answered", Counters{Damaged: 1}},
	} {
		b := newScript(t, read1, c.answer).bus(0)
		_, err := Read(b, 1, PresentPosition)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v, want %v and %q", c.name, err, c.want, c.word)
		}
		if got := b.Counters(1); got != c.count {
			t.Errorf("%s: counted %+v, want %+v", c.name, got, c.count)
		}
	}
}

func TestRetriesAndRefusals(t *testing.T) {
	// Each repetition is preceded by a probe, the second and third of the bus.
	s := newScript(t, read1, "", "", zeros(t, 2), read1, "FF FF FD 00 01 08 00 55 00 A7 00 00 00 8C C0", "", zeros(t, 3), read1, got166)
	if v, err := Read(s.bus(2), 1, PresentPosition); err != nil || v != 166 {
		t.Errorf("third try: %v, %v", v, err)
	}
	if s.resets != 5 {
		t.Errorf("stale input flushed %d times, want 5", s.resets)
	}
	refusal := "FF FF FD 00 01 04 00 55 87" + crcHex(t, "FF FF FD 00 01 04 00 55 87")
	b := newScript(t, "", refusal).bus(5) // a second write would fail the script
	err := Write(b, 1, GoalPosition, 5)
	var se *StatusError
	if !errors.As(err, &se) || se.Code != CodeAccess || !se.Alert || errors.Is(err, ErrBadData) || errors.Is(err, ErrLinkLost) {
		t.Errorf("refusal: %v", err)
	}
	if c := b.Counters(1); c != (Counters{Refused: 1, Alerts: 1}) {
		t.Errorf("counted %+v", c)
	}
}

// TestEchoIsNoAnswer: a reboot's echo on an adapter that hears itself has the right id
// and no data, like its answer.
func TestEchoIsNoAnswer(t *testing.T) {
	reboot := "FF FF FD 00 01 03 00 08 2F 4E"
	if err := newScript(t, reboot, reboot).bus(0).Reboot(1); !errors.Is(err, ErrLinkLost) {
		t.Errorf("%v, want ErrLinkLost", err)
	}
}

// zeros is the answer of device 1 to a read of n bytes.
func zeros(t *testing.T, n int) string {
	t.Helper()
	return hex.EncodeToString(Append(nil, &Packet{ID: 1, Instruction: InstStatus, Params: make([]byte, n)}))
}

func TestLateAnswerIsNotBelieved(t *testing.T) {
	// The answer to the first read comes after its deadline, before the next request or
	// as if it answered that.
	stale := "FF FF FD 00 01 08 00 55 00 FF 00 00 00" + crcHex(t, "FF FF FD 00 01 08 00 55 00 FF 00 00 00")
	for _, early := range []bool{true, false} {
		s := newScript(t, read1, "", "", stale+zeros(t, 2), read1, got166)
		b := s.bus(0)
		if _, err := Read(b, 1, PresentPosition); !errors.Is(err, ErrLinkLost) {
			t.Fatal(err)
		}
		if early {
			s.in, s.answer[1] = append(s.in, unhex(t, stale)), zeros(t, 2)
		}
		if v, err := Read(b, 1, PresentPosition); err != nil || v != 166 {
			t.Errorf("%v, %v; want 166, not the stale 255", v, err)
		}
	}
}

// TestHeldUpHost: a host that sleeps past the deadline finds the answer waiting.
func TestHeldUpHost(t *testing.T) {
	s := newScript(t, read1, "FF FF FD 00 01 08 00|"+got166[21:])
	s.held = time.Hour
	if v, err := Read(s.bus(0), 1, PresentPosition); err != nil || v != 166 {
		t.Errorf("%v, %v", v, err)
	}
	// A line that never stops talking nonsense does not hold the master for ever.
	babble := newScript(t, read1, strings.Repeat("00|", 1000))
	babble.held = time.Hour
	if _, err := Read(babble.bus(0), 1, PresentPosition); !errors.Is(err, ErrLinkLost) || len(babble.in) < 900 {
		t.Errorf("%v; %d reads left of 1000", err, len(babble.in))
	}
}

func TestPortFailure(t *testing.T) {
	s := newScript(t)
	s.err = errors.New("unplugged")
	b := s.bus(0)
	if _, err := b.Ping(1); !errors.Is(err, ErrLinkLost) || !errors.Is(b.PortError(), s.err) {
		t.Errorf("%v, port error %v", err, b.PortError())
	}
	w, err := NewGoalWriter(b, []ID{1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]PositionCount{2048}); !errors.Is(err, ErrLinkLost) || errors.Unwrap(err) != nil {
		t.Errorf("goal writer: %v, want the bare ErrLinkLost", err)
	}
}

func TestGroupWire(t *testing.T) {
	s := newScript(t, "FF FF FD 00 FE 11 00 83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00 82 87", "",
		"FF FF FD 00 FE 0A 00 8A 84 00 04 00 03 07 04 20 F2", fastStatusWire)
	b := s.bus(0)
	w, err := NewGoalWriter(b, []ID{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]PositionCount{150, 170}); err != nil {
		t.Error(err)
	}
	r, err := NewSyncReader(b, []ID{3, 7, 4}, PresentPosition.Addr(), 4, Fast)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Read(); err != nil {
		t.Error(err)
	}
	for i, want := range []PositionCount{166, 2079, 1023} {
		if got := PresentPosition.Get(r.Data(i)); got != want || r.Outcome(i) != Answered {
			t.Errorf("device %d: %d %v, want %d", i, got, r.Outcome(i), want)
		}
	}
}

func TestBadGroups(t *testing.T) {
	b := newScript(t).bus(0)
	for word, ids := range map[string][]ID{"no devices": nil, "twice": {1, 2, 1}, "not a device": {Broadcast}} {
		if _, err := NewStateReader(b, ids, Fast); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("reader of %v: %v, want %q", ids, err, word)
		}
		if _, err := NewGoalWriter(b, ids); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("writer of %v: %v, want %q", ids, err, word)
		}
	}
	if _, err := b.Ping(Broadcast); err == nil || !strings.Contains(err.Error(), "legal 0..252") {
		t.Errorf("ping of broadcast: %v", err)
	}
}
