package follow

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/shared"
)

const ms = int64(time.Millisecond)

func joints(n int) []guard.Joint {
	l := make([]guard.Joint, n)
	for j := range l {
		l[j] = guard.Joint{MinRad: -1, MaxRad: 1, GentleRadPerS: 1.5, FullRadPerS: 4, AccelRadPerS2: 800}
	}
	return l
}

func TestAbsurdReferencesAreRefusedByName(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(r *Reference)
		came  int64 // ms after it was sent, beyond 5
		want  string
	}{
		{"good", func(*Reference) {}, 0, ""},
		{"a little late", func(*Reference) {}, 90, ""},
		{"late", func(*Reference) {}, 110, "longer than another"},
		{"again", func(r *Reference) { r.Seq-- }, 0, "sequence number"},
		{"time stands still", func(r *Reference) { r.TimeNs -= 20 * ms }, 0, "a time"},
		{"NaN", func(r *Reference) { r.PosRad[1] = math.NaN() }, 0, "joint 1"},
		{"infinite", func(r *Reference) { r.PosRad[2] = math.Inf(-1) }, 0, "joint 2"},
		{"beyond the range", func(r *Reference) { r.PosRad[0] = 1.01 }, 0, "legal: -1 to 1"},
		{"a jump", func(r *Reference) { r.PosRad[2] = 0.2 }, 0, "jumps by 0.20 rad"},
		{"too few", func(r *Reference) { r.PosRad = r.PosRad[:2] }, 0, "2 joints; legal: 3"},
		{"none", func(r *Reference) { r.PosRad = nil }, 0, "0 joints"},
		{"too many", func(r *Reference) { r.PosRad = append(r.PosRad, 0) }, 0, "4 joints"},
	} {
		d := NewDesk(joints(3), shared.NewLatest(3))
		send := func(k int64, spoil func(*Reference), came int64) error {
			r := Reference{Seq: uint64(k), TimeNs: 7e15 + k*20*ms, PosRad: make([]float64, 3)}
			spoil(&r)
			return d.Offer(r, k*20*ms+came*ms+5*ms)
		}
		for k := int64(1); k < 5; k++ {
			if err := send(k, func(*Reference) {}, 0); err != nil {
				t.Fatal(err)
			}
		}
		err := send(5, tt.spoil, tt.came)
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if err := send(60, func(r *Reference) { r.Seq = 1; r.TimeNs = 5; r.PosRad[0] = 0.9 }, 0); err != nil {
			t.Errorf("%s: a new sender: %v", tt.name, err)
		}
	}
}

// A sender whose clock is slow by half a part in a thousand is not late after an hour.
func TestClocksDriftApart(t *testing.T) {
	d := NewDesk(joints(1), shared.NewLatest(1))
	for k := int64(1); k < 50*3600; k++ {
		if err := d.Offer(Reference{Seq: uint64(k), TimeNs: k * 20 * ms, PosRad: []float64{0}}, k*20*ms+k*20*ms/2000); err != nil {
			t.Fatalf("after %d s: %v", k/50, err)
		}
	}
}

// rig is a follower whose every output is looked at: it never jumps.
type rig struct {
	t   *testing.T
	d   *Desk
	f   *Follower
	now int64
	seq uint64
	out []float64
	top float64 // largest step, rad
}

func newRig(t *testing.T) *rig {
	latest := shared.NewLatest(2)
	r := &rig{t: t, d: NewDesk(joints(2), latest), now: 1, out: []float64{0.3, 0.3}}
	r.f = NewFollower(latest, []float64{0.2, 0.2}, 10*time.Millisecond)
	r.f.Enter(r.out)
	return r
}

// act runs for d, with references every so many ms (0: none), and returns whether it stands.
func (r *rig) act(d time.Duration, every int64, play bool, at func(s float64) float64) (standing bool) {
	r.t.Helper()
	was := make([]float64, 2)
	for range int(d / (10 * time.Millisecond)) {
		if r.now += 10 * ms; every > 0 && r.now/ms%every == 0 {
			r.seq++
			q := at(float64(r.now) / 1e9)
			if err := r.d.Offer(Reference{Seq: r.seq, TimeNs: r.now, PosRad: []float64{q, -q}}, r.now); err != nil {
				r.t.Fatal(err)
			}
		}
		copy(was, r.out)
		standing, _ = r.f.Act(r.out, nil, play)
		for j := range was {
			step := math.Abs(r.out[j] - was[j])
			if r.top = max(r.top, step); step > 0.045 { // 4 rad/s, and the fade
				r.t.Fatalf("at %d ms joint %d steps %.3f rad, from %g", r.now/ms, j, step, was[j])
			}
		}
	}
	return standing
}

func TestFollowsAndFades(t *testing.T) {
	swing := func(s float64) float64 { return 0.6 * math.Sin(2*s) }
	for _, every := range []int64{10, 20, 50} {
		r := newRig(t)
		if !r.act(time.Second, every, false, swing) || math.Abs(r.out[0]-0.2) > 1e-9 {
			t.Errorf("every %d ms: at %g rad, does not stand although nobody asked to follow", every, r.out[0])
		}
		r.act(3*time.Second, every, true, swing)
		want := swing(float64(r.now)/1e9 - float64(every)/1e3)
		if math.Abs(r.out[0]-want) > 0.06 || math.Abs(r.out[1]+want) > 0.06 || r.f.Lost() {
			t.Errorf("every %d ms: at %g rad, want %g; lost %v", every, r.out[0], want, r.f.Lost())
		}
		r.act(250*time.Millisecond, 0, true, nil)
		held := r.out[0]
		r.act(30*time.Millisecond, 0, true, nil)
		if r.f.Lost() || math.Abs(r.out[0]-held) > 1e-9 {
			t.Errorf("every %d ms: the last reference is not held: %g after %g rad, lost %v", every, r.out[0], held, r.f.Lost())
		}
		r.act(100*time.Millisecond, 0, true, nil)
		if !r.f.Lost() {
			t.Errorf("every %d ms: 0.4 s without a reference, and it is not lost", every)
		}
		if !r.act(FadeTime, 0, false, nil) || math.Abs(r.out[0]-0.2) > 1e-9 {
			t.Errorf("every %d ms: does not stand: %g rad", every, r.out[0])
		}
		// They come again: nothing is followed until somebody asks.
		if r.act(300*time.Millisecond, every, false, swing); r.f.Lost() || math.Abs(r.out[0]-0.2) > 1e-9 {
			t.Errorf("every %d ms: lost %v, at %g rad", every, r.f.Lost(), r.out[0])
		}
		if r.act(2*time.Second, every, true, swing); math.Abs(r.out[0]-swing(float64(r.now)/1e9-float64(every)/1e3)) > 0.06 {
			t.Errorf("every %d ms: does not follow again: %g rad", every, r.out[0])
		}
	}
	r := newRig(t)
	if r.act(100*time.Millisecond, 0, true, nil); !r.f.Lost() {
		t.Error("follows nothing, and does not say so")
	}
}

// Anything at all is offered, in any order: the follower's output is finite and within the
// range, and what is taken is legal.
func TestNonsenseFromOutside(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	r := newRig(t)
	for range 50_000 {
		r.now += 10 * ms
		q := []float64{rng.NormFloat64(), rng.NormFloat64()}
		switch rng.IntN(10) {
		case 0:
			q[0] = math.NaN()
		case 1:
			q = append(q, 0)
		case 2, 3, 4:
			q[0], q[1] = 0.1*rng.Float64(), 0
		}
		_ = r.d.Offer(Reference{Seq: rng.Uint64N(1 << 20), TimeNs: r.now + int64(rng.IntN(400))*ms - 200*ms, PosRad: q}, r.now)
		_, _ = r.f.Act(r.out, nil, rng.IntN(3) > 0)
		for _, q := range r.out {
			if !(q >= -1 && q <= 1) {
				t.Fatalf("out %v", r.out)
			}
		}
	}
	if taken, refused := r.d.Counts(); taken < 100 || refused < 1000 {
		t.Errorf("%d taken, %d refused: too little was tried", taken, refused)
	}
}

func TestAllocatesNothing(t *testing.T) {
	r := newRig(t)
	ref := Reference{PosRad: []float64{0, 0}}
	if n := testing.AllocsPerRun(100, func() {
		r.now += 20 * ms
		ref.Seq++
		ref.TimeNs = r.now
		if d := r.d.Offer(ref, r.now); d != nil {
			t.Fatal(d)
		}
		_, _ = r.f.Act(r.out, nil, true)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
