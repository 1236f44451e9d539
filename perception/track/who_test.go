package track

import (
	"math"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/perception/video"
)

// TestChoiceGrammar: what may be written, and that errors name what is legal.
func TestChoiceGrammar(t *testing.T) {
	for text, want := range map[Choice]wish{
		"":              {rule: Best},
		"best":          {rule: Best},
		"largest":       {rule: Largest},
		"left@3.2s":     {rule: Left, timed: true, atS: 3.2},
		"@1m2s":         {rule: Best, timed: true, atS: 62},
		"centre@4":      {rule: Centre, timed: true, atS: 4},
		"0.3,0.5":       {rule: byPlace, x: 0.3, y: 0.5},
		"1, 0@800ms":    {rule: byPlace, x: 1, timed: true, atS: 0.8},
		"best@0":        {rule: Best, timed: true},
		"0.25,.75@1.5s": {rule: byPlace, x: 0.25, y: 0.75, timed: true, atS: 1.5},
	} {
		if got, err := text.parse(); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, legal := range map[Choice]string{
		"tallest": "best, largest, left", "left@": "3.2s", "left@-1s": "3.2s", "left@NaN": "3.2s", "0.3": "X,Y",
		"1.2,0.5": "0 to 1", "a,b": "0 to 1", "NaN,0": "0 to 1", "x,y": "0 to 1", "0.1,0.2,0.3": "0 to 1", "Left": "left",
	} {
		if _, err := text.parse(); err == nil || !strings.Contains(err.Error(), legal) || !strings.Contains(err.Error(), string(text)) {
			t.Errorf("%q: %v; want an error that names it and %q", text, err, legal)
		}
	}
}

// TestChoiceByPlaceAndTime: a place, and the time at which it is meant. Before it
// the person is followed backwards, though others stood at the place then.
func TestChoiceByPlaceAndTime(t *testing.T) {
	walk := func(i int) disc { return disc{x: 40 + 3*float64(i), y: 90, r: 23, clothes: 60} }
	stand := disc{x: 280, y: 60, r: 28, clothes: 250}
	v := &film{w: 320, h: 180, n: 60, fps: 30, script: func(i int) []disc { return []disc{walk(i), stand} }}
	for choice, want := range map[Choice]func(i int) disc{
		"0.125,0.5":   walk,
		"0.41,0.5@1s": walk, // nobody stands there but at 1 s
		"left@1.5s":   walk,
		"largest":     func(int) disc { return stand },
		"right@0.5":   func(int) disc { return stand },
	} {
		r := runFilm(t, v, choice, video.Window{})
		for i := range r.Frames {
			at(t, r, i, want(i))
		}
		if t.Failed() {
			t.Fatalf("--person %s", choice)
		}
	}
	if _, err := runVideo(t.Context(), v.opener(), func() (*Networks, error) { return fakeNetworks(), nil }, "0.6,0.95@0s", video.Window{ToS: 1}, nil); err == nil {
		t.Error("nobody stands at the place, and somebody is followed")
	}
	_, err := runVideo(t.Context(), v.opener(), func() (*Networks, error) { return fakeNetworks(), nil }, "left@9s", video.Window{ToS: 3}, nil)
	if err == nil || !strings.Contains(err.Error(), "9s") || !strings.Contains(err.Error(), "3s") {
		t.Errorf("a time outside the window: %v", err)
	}
}

// crossing: somebody stands, and another one walks by before them.
func crossing(own, others byte) (v *film, stands disc) {
	stands = disc{x: 320, y: 180, r: 40, clothes: own}
	return &film{w: 640, h: 360, n: 140, fps: 30, script: func(i int) []disc {
		return []disc{stands, {x: 10 + 5*float64(i), y: 185, r: 44, clothes: others}}
	}}, stands
}

// TestCrossing: the one who stands is followed before and after, and never the one
// who walks by; no two persons are told apart by luck.
func TestCrossing(t *testing.T) {
	for name, c := range map[string]struct {
		others byte
		doubts int
	}{"dressed differently": {250, 0}, "dressed alike": {60, 1}} {
		v, stands := crossing(60, c.others)
		r := runFilm(t, v, "0.5,0.5", video.Window{})
		for i := range r.Frames {
			passes := 10 + 5*float64(i)
			if r.Frames[i].Found && math.Abs(passes-stands.x) > 90 {
				at(t, r, i, stands)
			}
			if !r.Frames[i].Found && math.Abs(passes-stands.x) > 150 {
				t.Errorf("%s: frame %d: nobody", name, i)
			}
		}
		if len(r.Doubts) != c.doubts {
			t.Fatalf("%s: doubts %+v, want %d", name, r.Doubts, c.doubts)
		}
		if c.doubts > 0 && (r.Doubts[0].FromS > 1.9 || r.Doubts[0].ToS < 2.2 || r.Doubts[0].ToS > 3.5) {
			t.Errorf("%s: they hide each other from 1.6 to 2.4 s, doubts %+v", name, r.Doubts)
		}
	}
}

// TestOneAfterAnother: in a corridor people come and go one by one. The motion is
// that of one of them, and it is said that there are others.
func TestOneAfterAnother(t *testing.T) {
	script := func(i int) []disc {
		k := i / 60
		if i%60 >= 40 {
			return nil
		}
		return []disc{{x: 40 + 14*float64(i%60), y: 180, r: 45, clothes: []byte{60, 250, 150}[k]}}
	}
	r := runFilm(t, &film{w: 640, h: 360, n: 180, fps: 30, script: script}, Best, video.Window{})
	who := map[byte]int{}
	for i := range r.Frames {
		if r.Frames[i].Found {
			who[script(i)[0].clothes]++
		}
	}
	if len(who) != 1 {
		t.Errorf("frames by person: %v, want those of one", who)
	}
	if len(r.Warnings) == 0 || !strings.Contains(strings.Join(r.Warnings, " "), "somebody else") {
		t.Errorf("warnings %q", r.Warnings)
	}
}

// TestWhoMoves: the larger one stands still; best is the one who moves.
func TestWhoMoves(t *testing.T) {
	moves := func(i int) disc {
		return disc{x: 160 + 60*math.Sin(float64(i)/12), y: 200, r: 40, clothes: 60}
	}
	stands := disc{x: 480, y: 180, r: 75, clothes: 250}
	v := &film{w: 640, h: 360, n: 150, fps: 30, script: func(i int) []disc { return []disc{moves(i), stands} }}
	r := runFilm(t, v, Best, video.Window{})
	for i := range r.Frames {
		at(t, r, i, moves(i))
	}
	r = runFilm(t, v, Largest, video.Window{})
	at(t, r, 75, stands)
}
