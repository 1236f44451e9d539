package solve

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/band"
	"github.com/mitori-robotics/mitori/models/human"
)

// stance tells how far the fitted feet that touch are from the floor, and how
// fast those that rest move; root mean squares over a whole fit.
func (p *problem) stance() (heightM, speedMPerS float64) {
	var h, v, nh, nv float64
	for t := range p.n {
		for c, j := range footJoints {
			if p.touch[t][c] == 1 {
				e := p.up.Dot(p.joint(t, j)) - p.floor - p.seenHeight(c)
				h, nh = h+e*e, nh+1
			}
			if t+1 < p.n && p.still[t][c] > 0.99 {
				e := p.joint(t+1, j).Sub(p.joint(t, j)).Norm() * p.fps
				v, nv = v+e*e, nv+1
			}
		}
	}
	return math.Sqrt(h / nh), math.Sqrt(v / nv)
}

func fit(t *testing.T, p *problem) {
	t.Helper()
	if err := p.minimise(fitSteps); err != nil {
		t.Fatal(err)
	}
}

// Landmarks that are no numbers end with where, not with a pose: which frame, which point.
func TestEquationsWithoutSolutionAreNamed(t *testing.T) {
	p := testProblem()
	before := append([]float64(nil), p.x...)
	p.px[7][freeIndex[human.LKnee]][0] = math.NaN()
	p.x[7*frameVars+3*freeIndex[human.LKnee]+2] = math.NaN()
	err := p.minimise(fitSteps)
	var bad *band.PivotError
	if !errors.As(err, &bad) || !math.IsNaN(bad.Pivot) || !strings.Contains(err.Error(), "solve: frame ") {
		t.Fatalf("got %v, want a pivot that is no number, with its frame", err)
	}
	t.Log(err)
	for i, v := range p.x {
		if v != before[i] && !math.IsNaN(v) {
			t.Fatalf("x[%d] moved from %g to %g", i, before[i], v)
		}
	}
}

// What is known of the feet constrains the fit: feet that touch are at the floor,
// feet that rest do not move. Without either, the error more than doubles.
func TestContactsConstrainTheFit(t *testing.T) {
	fitted := func(loosen func(p *problem)) (heightM, speedMPerS float64) {
		in, _ := film(stepper(), defaultCamera(), 4, 30, typical, 21)
		s, _ := newStream(in.Frames, newGrid(in.Frames, 0))
		s.smooth(defaultCutoffHz)
		p := newProblem(s, newLens(in.WidthPx, in.HeightPx, 648), levelUp)
		_, depth := p.measure(s, 1.68)
		p.place(depth)
		p.restFeet()
		fit(t, p)
		p.useContacts(p.detectContacts())
		still := p.still
		loosen(p)
		fit(t, p)
		p.still = still
		return p.stance()
	}
	height, speed := fitted(func(*problem) {})
	adrift, _ := fitted(func(p *problem) { p.useFloor = false })
	_, sliding := fitted(func(p *problem) { p.still = make([][human.NumContacts]float64, p.n) })
	t.Logf("touching feet %.4f m from the floor (%.4f m without it), resting feet at %.4f m/s (%.4f m/s)", height, adrift, speed, sliding)
	if !(height < adrift/2) {
		t.Errorf("touching feet are %.4f m from the floor, %.4f m without the constraint", height, adrift)
	}
	if !(speed < sliding/2) {
		t.Errorf("resting feet move at %.4f m/s, %.4f m/s without the constraint", speed, sliding)
	}
}

// A foot that rests in the air keeps its distance from the camera, which the
// network alone knows only to centimetres.
func TestRestingFootInTheAirStaysWhereItIs(t *testing.T) {
	var sum, n float64
	for seed := range uint64(3) {
		in, _ := film(balancer(), defaultCamera(), 5, 30, typical, 30+seed)
		m, _ := solved(t, in, Options{HeightM: 1.8, FocalPx: 648})
		for k := 60; k < 100; k++ { // held still from 1.7 to 3.6 s
			d := (m.Frames[k+1].Positions[human.RToe][0] - m.Frames[k].Positions[human.RToe][0]) * m.FPS
			sum, n = sum+d*d, n+1
		}
	}
	// 0.008 m/s is reached; 0.067 m/s when resting feet count only on the floor.
	if speed := math.Sqrt(sum / n); !(speed < 0.03) {
		t.Errorf("a foot held still moves along the line of sight at %.4f m/s", speed)
	}
}
