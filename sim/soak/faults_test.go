package soak

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// What goes wrong, drawn at random, each with its row of the table. Faults of the bus and
// its devices are here, those of host and operators in host_test.go.

// fault is one thing that goes wrong.
type fault struct {
	kind, text string
	at         time.Duration           // after the loop began
	before     func(f *flight) error   // what is wrong from the start
	begin      func(f *flight, s *row) // makes it happen at s.onset
	row
}

// row is a sentence that the fault may still change while it happens.
type row = sentence

func (c fault) String() string { return fmt.Sprintf("%s %s at %v", c.kind, c.text, c.at) }

// draws are all kinds, each as likely as the others.
func draws() []func(rng *rand.Rand, b *body.Body) fault {
	return []func(*rand.Rand, *body.Body) fault{
		none, damaged, lossy, late, silentServo, silentHub, cable, hot, stuck, rebooted, offset, sagging, pressed, frozenIMU, falls, clash,
		badPolicy, estop, stalled, loopStuck, slowHost, clockStep, diskFull, brokerGone, meddling,
		gatewayKilled, gatewayFrozen, gatewaySlow, loopKilled, loopFreezes, bothKilled, memoryPressure,
	}
}

// draw chooses one fault, in one flight of eight two.
func draw(rng *rand.Rand, b *body.Body) []fault {
	n := 1
	if rng.IntN(8) == 0 {
		n = 2
	}
	var chosen []fault
	for range n {
		all := draws()
		c := all[rng.IntN(len(all))](rng, b)
		for !asked(c.kind) {
			c = all[rng.IntN(len(all))](rng, b)
		}
		c.at = time.Duration(rng.Int64N(int64(8 * time.Second)))
		if c.before != nil {
			c.at = 0
		}
		chosen = append(chosen, c)
	}
	return chosen
}

// asked says whether faults of a kind are wanted.
func asked(kind string) bool {
	kinds := os.Getenv(kindsVariable)
	return kinds == "" || slices.ContainsFunc(strings.Split(kinds, ","), func(k string) bool { return strings.HasPrefix(kind, k) })
}

// begin makes the faults happen; the result is the row to judge by once the flight is over.
func begin(f *flight, chosen []fault) func() row {
	rows := make([]*row, len(chosen))
	for i := range chosen {
		c := &chosen[i]
		rows[i] = &c.row
		c.onset = f.began + c.at
		if c.begin != nil && !f.claim.refused {
			c.begin(f, rows[i])
		}
	}
	slices.SortStableFunc(f.events, func(a, b event) int { return int(a.at - b.at) })
	return func() row {
		if len(rows) == 1 {
			return *rows[0]
		}
		// Two at once: how they answer together is not tabled, but that they end, and how.
		s := row{may: anything}
		for _, r := range rows {
			if r.may == refused {
				return *r
			}
			s.deaf, s.weak, s.free = s.deaf|r.deaf, s.weak|r.weak, s.free || r.free
			s.onset, s.longer, s.slower, s.missed = r.onset, s.longer+r.longer, max(s.slower, 1)*max(r.slower, 1), s.missed+r.missed
		}
		return s
	}
}

func (f *flight) after(at time.Duration, do func(f *flight)) {
	f.events = append(f.events, event{at, do})
}

// inject lets the emulated bus fail.
func inject(fs ...busemu.Fault) func(f *flight, s *row) {
	return func(f *flight, s *row) {
		for _, x := range fs {
			if x.P == 0 {
				x.P = 1
			}
			x.At = s.onset
			if err := f.world.Inject(x); err != nil {
				panic(err)
			}
		}
	}
}

func chance(rng *rand.Rand) bool { return rng.IntN(2) == 0 }

func between(rng *rand.Rand, lo, hi time.Duration) time.Duration {
	return (lo + time.Duration(rng.Int64N(int64(hi-lo)+1))).Round(100 * time.Microsecond)
}

// some is now and then for good.
func some(rng *rand.Rand, lo, hi time.Duration) time.Duration {
	if rng.IntN(3) == 0 {
		return 0
	}
	return between(rng, lo, hi)
}

func lasting(d time.Duration) string {
	if d == 0 {
		return "for good"
	}
	return "for " + d.String()
}

// servo is one joint with its servo.
func servo(rng *rand.Rand, b *body.Body) (j int, id uint8, leg bool) {
	j = rng.IntN(len(b.Desc.Joints))
	return j, uint8(b.Desc.Joints[j].ID), b.Joints[j].Limb == body.Leg
}

func none(*rand.Rand, *body.Body) fault {
	return fault{kind: "nothing", row: row{may: goesOn, must: true, plain: true}}
}

// damaged: bytes of answers are corrupted, lost, or preceded by junk.
func damaged(rng *rand.Rand, _ *body.Body) fault {
	kind := []busemu.FaultKind{busemu.FaultCRC, busemu.FaultDrop, busemu.FaultNoise}[rng.IntN(3)]
	p, span := math.Pow(10, -3+3*rng.Float64()), some(rng, 10*time.Millisecond, 3*time.Second)
	c := fault{kind: "damaged-bytes", text: fmt.Sprintf("%s p=%.4f %s", kind, p, lasting(span)), row: row{may: anything &^ refused}}
	c.begin = inject(busemu.Fault{Kind: kind, P: p, For: span})
	switch {
	case p < 0.004:
		c.row = row{may: goesOn, must: true, plain: true}
	case p > 0.6 && kind != busemu.FaultNoise && (span == 0 || span > time.Second):
		c.row = row{may: stops, must: true, lasts: span == 0, detect: 600 * time.Millisecond}
	}
	return c
}

// lossy: what is sent to the servos is lost.
func lossy(rng *rand.Rand, _ *body.Body) fault {
	p, span := 0.3*rng.Float64(), some(rng, 10*time.Millisecond, 3*time.Second)
	return fault{kind: "lost-requests", text: fmt.Sprintf("p=%.3f %s", p, lasting(span)), row: row{may: anything &^ refused, missed: 3},
		begin: func(f *flight, s *row) {
			until := s.onset + span
			f.port.lose = func() bool {
				now := f.now()
				return now >= s.onset && (span == 0 || now < until) && f.rng.Float64() < p
			}
		}}
}

// late: answers come 0 to 40 ms later.
func late(rng *rand.Rand, _ *body.Body) fault {
	by, p, span := between(rng, 0, 40*time.Millisecond), 1.0, some(rng, 10*time.Millisecond, 3*time.Second)
	if chance(rng) {
		p = rng.Float64()
	}
	c := fault{kind: "late-answers", text: fmt.Sprintf("by %v p=%.3f %s", by, p, lasting(span)), row: row{may: anything &^ refused}}
	c.begin = inject(busemu.Fault{Kind: busemu.FaultDelay, Delay: by, P: p, For: span})
	switch {
	case by <= time.Millisecond:
		c.row = row{may: goesOn, must: true, plain: true}
	case by >= 12*time.Millisecond && p == 1 && (span == 0 || span > 500*time.Millisecond):
		c.row = row{may: cuts | limps, must: true, lasts: span == 0, detect: 200 * time.Millisecond}
	}
	return c
}

// silentServo: a servo is dead, or its plug is loose for a moment.
func silentServo(rng *rand.Rand, b *body.Body) fault {
	j, id, leg := servo(rng, b)
	span := some(rng, 5*time.Millisecond, 2*time.Second)
	c := fault{kind: "servo-dead", text: fmt.Sprintf("%d %s", id, lasting(span))}
	c.begin = inject(busemu.Fault{Kind: busemu.FaultSilence, ID: idOf(id), For: span})
	c.row = row{may: settles | refused, must: true, lasts: span == 0, detect: 80 * time.Millisecond, deaf: 1 << j, deafFor: span}
	if leg {
		c.may = limps | refused
	}
	if span > 0 && span < 80*time.Millisecond {
		c.may, c.must = c.may|goesOn, false
	}
	return c
}

func silentHub(rng *rand.Rand, b *body.Body) fault {
	span := some(rng, 5*time.Millisecond, 2*time.Second)
	c := fault{kind: "hub-dead", text: lasting(span), row: row{may: limps | refused, must: true, lasts: span == 0, detect: 60 * time.Millisecond}}
	c.begin = inject(busemu.Fault{Kind: busemu.FaultSilence, ID: idOf(uint8(b.Desc.IMU.ID)), For: span})
	if span > 0 && span < 60*time.Millisecond {
		c.may, c.must = c.may|goesOn, false
	}
	return c
}

// cable: pulled at the robot (nobody answers) or at the host (the port is gone), and
// perhaps back.
func cable(rng *rand.Rand, _ *body.Body) fault {
	span, host := some(rng, 5*time.Millisecond, 4*time.Second), chance(rng)
	c := fault{kind: "cable-pulled", text: fmt.Sprintf("at the host %v, %s", host, lasting(span))}
	c.row = row{may: cuts | refused, must: true, lasts: span == 0, detect: 80 * time.Millisecond, deaf: everyJoint, deafFor: span}
	if span > 0 && span < 80*time.Millisecond {
		c.may, c.must = anything&^refused, false
	}
	c.begin = inject(busemu.Fault{Kind: busemu.FaultSilence, For: span})
	if host {
		c.begin = func(f *flight, s *row) {
			f.after(s.onset, func(f *flight) { f.port.gone = true })
			if span > 0 {
				f.after(s.onset+span, func(f *flight) { f.port.gone = false })
			}
		}
	}
	return c
}

func hot(rng *rand.Rand, b *body.Body) fault {
	j, id, _ := servo(rng, b)
	v := 61 + 24*rng.Float64()
	c := fault{kind: "servo-hot", text: fmt.Sprintf("%d %.1f C", id, v)}
	c.begin = inject(busemu.Fault{Kind: busemu.FaultHeat, ID: idOf(id), V: v})
	switch stop := b.Desc.ServoOf(j).MaxTempC - 10; {
	case v < stop-1: // a warning: whoever is not armed yet stays so
		c.row = row{may: goesOn | refused, must: true, lasts: true}
	case v > stop+10: // the servo switches itself off
		c.row = row{may: settles | limps, must: true, lasts: true, detect: 900 * time.Millisecond, weak: 1 << j}
	case v > stop+1 && v < stop+9:
		c.row = row{may: settles, must: true, lasts: true, detect: 900 * time.Millisecond}
	default:
		c.row = row{may: anything &^ refused, weak: 1 << j}
	}
	return c
}

// stuck: an encoder stands still. Nothing tells but what follows from it.
func stuck(rng *rand.Rand, b *body.Body) fault {
	j, id, _ := servo(rng, b)
	span := some(rng, 50*time.Millisecond, 3*time.Second)
	return fault{kind: "encoder-stuck", text: fmt.Sprintf("%d %s", id, lasting(span)),
		begin: func(f *flight, s *row) {
			f.see.blind |= 1 << j
			inject(busemu.Fault{Kind: busemu.FaultStuck, ID: idOf(id), For: span})(f, s)
		}, row: row{may: anything &^ refused}}
}

// rebooted: a servo restarts, and is silent for 0.4 s.
func rebooted(rng *rand.Rand, b *body.Body) fault {
	j, id, leg := servo(rng, b)
	c := fault{kind: "servo-rebooted", text: fmt.Sprint(id), begin: inject(busemu.Fault{Kind: busemu.FaultReboot, ID: idOf(id)})}
	c.row = row{may: settles | limps | refused, must: true, detect: 80 * time.Millisecond, weak: 1 << j}
	if leg {
		c.may = limps | refused
	}
	return c
}

func sagging(rng *rand.Rand, _ *body.Body) fault {
	v, span := 4+6*rng.Float64(), some(rng, 20*time.Millisecond, 5*time.Second)
	c := fault{kind: "supply-sags", text: fmt.Sprintf("%.2f V %s", v, lasting(span)), row: row{may: anything &^ refused, weak: everyJoint}}
	c.begin = inject(busemu.Fault{Kind: busemu.FaultBrownOut, V: v, For: span})
	switch {
	case v > 9.55 && v < 9.8 && span == 0: // filtered over a second
		c.row = row{may: settles | refused, must: true, detect: 4 * time.Second}
	case v > 6.5 && v < 9.4 && (span == 0 || span > 200*time.Millisecond): // servos say so themselves
		c.row = row{may: settles | limps | cuts, must: true, lasts: span == 0, detect: 100 * time.Millisecond}
	}
	return c
}

func pressed(rng *rand.Rand, _ *body.Body) fault {
	span := some(rng, 30*time.Millisecond, 2*time.Second)
	return fault{kind: "stop-button", text: lasting(span), begin: inject(busemu.Fault{Kind: busemu.FaultButton, V: stopButton, For: span}),
		row: row{may: cuts | refused, must: true, lasts: span == 0, detect: 30 * time.Millisecond}}
}

func frozenIMU(rng *rand.Rand, _ *body.Body) fault {
	span := some(rng, 50*time.Millisecond, 3*time.Second)
	c := fault{kind: "imu-frozen", text: lasting(span), begin: inject(busemu.Fault{Kind: busemu.FaultIMU, For: span})}
	c.row = row{may: limps | refused, must: true, lasts: span == 0, detect: 1050 * time.Millisecond}
	if span > 0 && span < 900*time.Millisecond {
		c.may = goesOn
	} else if span > 0 && span < 1100*time.Millisecond {
		c.may, c.must = c.may|goesOn, false
	}
	return c
}

func falls(*rand.Rand, *body.Body) fault {
	return fault{kind: "falls", row: row{may: limps | refused, must: true, lasts: true, detect: 50 * time.Millisecond},
		begin: func(f *flight, s *row) { f.see.Plant.(*busemu.Ideal).TipsAt = s.onset }}
}

// clash: a second device talks over a servo.
func clash(rng *rand.Rand, b *body.Body) fault {
	_, id, leg := servo(rng, b)
	c := fault{kind: "id-clash", text: fmt.Sprint(id), begin: inject(busemu.Fault{Kind: busemu.FaultClash, ID: idOf(id)})}
	c.row = row{may: stops | refused, must: true, lasts: true, detect: 600 * time.Millisecond}
	if leg {
		c.may = limps | cuts | refused
	}
	return c
}
