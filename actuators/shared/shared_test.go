package shared

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

func ask(t *testing.T, d *Desk, r mode.Request) Ticket {
	t.Helper()
	k, err := d.Ask(r)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A tick that has begun and does not end: it is not known what becomes of it.
func TestTakenCommandsAreNotWithdrawn(t *testing.T) {
	d := &Desk{}
	k := ask(t, d, mode.Arm)
	asked := Strongest(d.Take())
	if _, err := k.Withdraw(); !errors.Is(err, ErrUnknown) || asked != mode.Arm {
		t.Errorf("error %v, asked for %v", err, asked)
	}
	d.Answer(asked, mode.Decision{})
	for range mailboxSlots { // its slot is free again
		k = ask(t, d, mode.Arm)
	}
	want := mode.Decision{State: mode.Arming, Why: mode.Requested(mode.Arm)}
	d.Answer(Strongest(d.Take()), want)
	if got, err := k.Withdraw(); err != nil || got != want {
		t.Errorf("an answer that had come: %+v, %v", got, err)
	}
}

// Any decision survives the word that carries it.
func TestDecisionsSurvive(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 10000 {
		want := mode.Decision{State: mode.State(rng.Uint32()), Why: mode.Reason(rng.Uint32()), Refused: rng.IntN(2) == 1, Failing: mode.Checks(rng.Uint32())}
		if got := unpack(pack(want)); got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
}

// What one side writes the other reads, through memory that both map; and no more than
// the gateway may tell reaches the loop.
func TestBothSidesSeeOneRegion(t *testing.T) {
	gateway, err := Create(3, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	fd, err := unix.Dup(int(gateway.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	loop, err := Attach(os.NewFile(uintptr(fd), "inherited"), 3, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer loop.Close()
	if gateway.Desk == loop.Desk {
		t.Fatal("one mapping: the test shows nothing")
	}
	for c := range mode.AllConditions() {
		gateway.Desk.Tell(c, true)
	}
	if got := loop.Desk.Told(); got != mode.Of(mode.LogLost, mode.LinkToBroker, mode.NameTaken) {
		t.Errorf("told: %v", got)
	}
	k := ask(t, gateway.Desk, mode.Arm)
	gateway.Desk.Request(mode.HoldPose)
	gateway.Desk.BeatGateway()
	gateway.Desk.Insist()
	did := mode.Decision{State: mode.Cut, Why: mode.Requested(mode.EStop)}
	if asked := Strongest(loop.Desk.Take()); asked != mode.EStop || !loop.Desk.Insisted() || loop.Desk.Gateway() != 1 {
		t.Errorf("asked for %v, insisted %v, beat %d", asked, loop.Desk.Insisted(), loop.Desk.Gateway())
	}
	loop.Desk.Answer(mode.EStop, did)
	loop.Desk.Hear()
	loop.Desk.Cut(false)
	loop.Desk.Enter(Flying)
	got, answered := k.Poll()
	if all, vain := gateway.Desk.Cuts(); !answered || !got.Refused || got.State != mode.Cut || !gateway.Desk.Heard() || all != 1 || vain != 1 ||
		gateway.Desk.Phase() != Flying {
		t.Errorf("answer %+v (%v), %d cuts, %d in vain", got, answered, all, vain)
	}
	for tick := range int64(20) {
		if s := loop.Ring.Reserve(); s != nil {
			s.Tick = tick
			loop.Ring.Publish()
		}
	}
	for want := range int64(8) {
		if s := gateway.Ring.Next(); s == nil || s.Tick != want {
			t.Fatalf("sample %v, want tick %d", s, want)
		}
		gateway.Ring.Release()
	}
	if gateway.Ring.Next() != nil || gateway.Ring.Dropped() != 12 {
		t.Errorf("%d dropped, want 12", gateway.Ring.Dropped())
	}
}

// Memory of another robot, another program or another size is refused, and so is memory
// that somebody could cut short.
func TestAttachRefuses(t *testing.T) {
	r, err := Create(3, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := Attach(r.File(), 4, 8); !errors.Is(err, ErrForeign) {
		t.Errorf("another robot: %v", err)
	}
	if err := unix.Ftruncate(int(r.File().Fd()), 64); err == nil {
		t.Error("the region may be cut short")
	}
	for at := range 48 {
		r.mem[at] ^= 1
		if _, err := Attach(r.File(), 3, 8); !errors.Is(err, ErrForeign) {
			t.Errorf("byte %d of the header: %v", at, err)
		}
		r.mem[at] ^= 1
	}
	loose, err := os.Create(t.TempDir() + "/region")
	if err != nil {
		t.Fatal(err)
	}
	defer loose.Close()
	if _, err := loose.Write(r.mem); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(loose, 3, 8); !errors.Is(err, ErrForeign) {
		t.Errorf("a file: %v", err)
	}
	for _, c := range [][2]int{{-1, 8}, {254, 8}, {3, 0}, {3, 1 << 21}} {
		if _, err := Create(c[0], c[1]); err == nil {
			t.Errorf("%v joints, samples: created", c)
		}
	}
}

// Whatever stands in the mailbox, a tick takes requests that exist, ends and allocates
// nothing; and a gateway that finds nonsense does not wait for good.
func FuzzDesk(f *testing.F) {
	f.Add([]byte{0}, uint32(7))
	f.Add([]byte{2, 0, 0, 0, 0xff}, uint32(0xffffffff))
	f.Fuzz(func(t *testing.T, noise []byte, word uint32) {
		d := &Desk{}
		for i := range d.mail {
			if len(noise) > 4 {
				at := i % (len(noise) - 4)
				d.mail[i].word.Store(binary.LittleEndian.Uint32(noise[at:]) % 8)
				d.mail[i].request.Store(binary.LittleEndian.Uint32(noise[at:]))
			}
		}
		d.request.Store(word)
		d.told.Store(word)
		asked := Strongest(d.Take())
		if asked > mode.EStop || d.Told()&^Tellable() != 0 {
			t.Fatalf("asked for %d, told %v", asked, d.Told())
		}
		d.Answer(asked, mode.Decision{})
		if k, err := d.Ask(mode.Arm); err == nil {
			k.slot.word.Store(word)
			_, _ = k.Withdraw()
		}
	})
}

// Many ask and withdraw while ticks take and answer: none is obeyed that was withdrawn,
// and no slot is lost.
func TestWithdrawnIsNotTaken(t *testing.T) {
	d := &Desk{}
	var withdrawn, answered, unknown atomic.Int64
	var asking sync.WaitGroup
	for range 4 {
		asking.Add(1)
		go func() {
			defer asking.Done()
			for range 2000 {
				k, err := d.Ask(mode.Arm)
				if err != nil {
					continue
				}
				switch _, err := k.Withdraw(); {
				case errors.Is(err, ErrNoAnswer):
					withdrawn.Add(1)
				case errors.Is(err, ErrUnknown):
					unknown.Add(1)
				default:
					answered.Add(1)
				}
			}
		}()
	}
	over := make(chan struct{})
	go func() { asking.Wait(); close(over) }()
	for done := false; !done; {
		select {
		case <-over:
			done = true
		default:
		}
		d.Answer(Strongest(d.Take()), mode.Decision{})
	}
	for i := range d.mail {
		if w := d.mail[i].word.Load(); w != slotFree {
			t.Errorf("slot %d is left at %d", i, w)
		}
	}
	if withdrawn.Load() == 0 {
		t.Error("nothing was withdrawn: the test shows nothing")
	}
	t.Logf("%d withdrawn, %d unknown, %d answered", withdrawn.Load(), unknown.Load(), answered.Load())
}

func TestTheDeskAllocatesNothing(t *testing.T) {
	d := &Desk{}
	if n := testing.AllocsPerRun(100, func() {
		k, _ := d.Ask(mode.HoldPose)
		d.Answer(Strongest(d.Take()), mode.Decision{})
		k.Poll()
		d.BeatLoop()
		_, _ = d.Told(), d.Stopped()
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
