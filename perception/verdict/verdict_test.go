package verdict

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/perception/sight"
)

// still is the evidence of a clip with nothing wrong.
func still() *Evidence {
	return &Evidence{Span: sight.Span{FromS: 0, ToS: 10}, CameraHeightM: 1, CameraTiltDeg: 3, StanceShare: 1, ReprojShare: 0.004, SpeedMPerS: 2}
}

var whole = []sight.Span{{FromS: 0, ToS: 10}}

// TestEachFault: each fault alone gives its verdict, and a sentence that names it.
func TestEachFault(t *testing.T) {
	away := func(n int, r Return) (out []Return) {
		for i := range n {
			r.Span = sight.Span{FromS: 2 + 3*float64(i), ToS: 4 + 3*float64(i)}
			out = append(out, r)
		}
		return out
	}
	for name, c := range map[string]struct {
		spoil func(*Evidence)
		want  Grade
		says  string
	}{
		"nothing":                {func(*Evidence) {}, Good, ""},
		"camera below the floor": {func(e *Evidence) { e.CameraHeightM, e.StanceShare = -0.8, 0.4 }, Refused, "below the floor"},
		"a person on a box":      {func(e *Evidence) { e.CameraHeightM, e.StanceShare = -0.6, 0.7 }, Doubtful, "box or a stage"},
		"upside down":            {func(e *Evidence) { e.CameraHeightM, e.InvertedShare, e.LyingShare = -0.8, 1, 1 }, Refused, "upside down"},
		"feet do not stand":      {func(e *Evidence) { e.StanceShare = 0.3 }, Refused, "30 %"},
		"feet hardly stand":      {func(e *Evidence) { e.StanceShare = 0.4 }, Doubtful, "40 %"},
		"jumps":                  {func(e *Evidence) { e.StanceShare = 0.6 }, Good, ""},
		"on its side":            {func(e *Evidence) { e.StanceShare, e.LyingShare = 0.05, 1 }, Refused, "on its side"},
		"lies":                   {func(e *Evidence) { e.StanceShare, e.LyingShare = 0.7, 1 }, Good, ""},
		"rolled camera":          {func(e *Evidence) { e.CameraTiltDeg = 12 }, Good, ""},
		"a camera that lies":     {func(e *Evidence) { e.CameraTiltDeg = 48 }, Doubtful, "48 degrees"},
		"legs never seen":        {func(e *Evidence) { e.Hidden[sight.LeftLeg], e.Hidden[sight.RightLeg] = whole, whole }, Doubtful, "they stand still"},
		"head and shoulders": {func(e *Evidence) {
			for p := range sight.LeftShoulder {
				e.Hidden[p] = whole
			}
		}, Refused, "nothing to copy"},
		"only the legs": {func(e *Evidence) {
			for _, p := range []sight.Part{sight.LeftArm, sight.RightArm, sight.LeftShoulder, sight.RightShoulder} {
				e.Hidden[p] = whole
			}
		}, Refused, "shoulders are not in the picture"},
		"cut short":            {func(e *Evidence) { e.UndecodedShare = 0.4 }, Doubtful, "40 % of it could not be decoded"},
		"leans while standing": {func(e *Evidence) { e.LeanDeg = 12 }, Doubtful, "gravity is probably wrong"},
		"feet cut off":         {func(e *Evidence) { e.Hidden[sight.LeftFoot], e.Hidden[sight.RightFoot] = whole, whole }, Doubtful, "feet are out of the picture"},
		"feet gone for a while": {func(e *Evidence) {
			e.Hidden[sight.LeftFoot], e.Hidden[sight.RightFoot] = []sight.Span{{FromS: 1, ToS: 4}}, []sight.Span{{FromS: 2, ToS: 4.5}}
		}, Doubtful, "2.0 to 4.0 s"},
		"one leg hidden":             {func(e *Evidence) { e.Hidden[sight.LeftLeg] = []sight.Span{{FromS: 1, ToS: 9}} }, Doubtful, "left leg"},
		"one arm hidden":             {func(e *Evidence) { e.Hidden[sight.LeftArm] = whole }, Good, ""},
		"both arms hidden":           {func(e *Evidence) { e.Hidden[sight.LeftArm], e.Hidden[sight.RightArm] = whole, whole }, Doubtful, "arms"},
		"a camera tilted anyhow":     {func(e *Evidence) { e.TiltDoubtDeg = 7 }, Good, "7 degrees only"},
		"a step":                     {func(e *Evidence) { e.LevelsM = []float64{0.2, 0.35} }, Good, "0.35 m high"},
		"often nobody":               {func(e *Evidence) { e.MissedShare = 0.3 }, Doubtful, "30 %"},
		"mostly nobody":              {func(e *Evidence) { e.MissedShare = 0.7 }, Refused, "70 %"},
		"seen for a while":           {func(e *Evidence) { e.AbsentShare = 0.7 }, Doubtful, "0.0 to 10.0 s only"},
		"black at first":             {func(e *Evidence) { e.AbsentShare = 0.35 }, Good, ""},
		"away for a moment":          {func(e *Evidence) { e.Returns = []Return{{sight.Span{FromS: 3, ToS: 3.5}, 0.8, 1.6, 0.65}} }, Good, ""},
		"away for long":              {func(e *Evidence) { e.Returns = away(1, Return{Moved: 0.2, Grown: 1.1, Alike: 0.9}) }, Doubtful, "2.0 to 4.0 s"},
		"several people in turn":     {func(e *Evidence) { e.Returns = away(2, Return{Moved: 2, Grown: 1.1, Alike: 0.9}) }, Refused, "several people"},
		"other clothes":              {func(e *Evidence) { e.Returns = away(2, Return{Moved: 0.1, Grown: 1.1, Alike: 0.6}) }, Refused, "several people"},
		"cut":                        {func(e *Evidence) { e.CutsS = []float64{3} }, Doubtful, "3.0 s"},
		"cut before the same wall":   {func(e *Evidence) { e.JumpsS = []float64{3} }, Doubtful, "3.0 s"},
		"an edited film":             {func(e *Evidence) { e.CutsS = []float64{1, 3, 5, 7} }, Refused, "and 1 more"},
		"hand-held":                  {func(e *Evidence) { e.SwayMost, e.Moves = 0.2, whole }, Doubtful, "camera moves"},
		"a tripod on a wooden floor": {func(e *Evidence) { e.SwayMost = 0.003 }, Good, ""},
		"thrown about":               {func(e *Evidence) { e.SwayMost, e.Moves = 0.8, whole }, Refused, "camera moves"},
		"hand-held, taken out":       {func(e *Evidence) { e.TakenMost, e.SwayMost, e.Moves = 0.2, 0.001, whole }, Good, "taken out"},
		"travels":                    {func(e *Evidence) { e.TakenMost, e.SwayMost, e.Moves = 0.2, 0.01, whole }, Doubtful, "does not only turn"},
		"creeps, taken out":          {func(e *Evidence) { e.TakenMost, e.SwayMost = 0.01, 0.001 }, Good, ""},
		"two alike cross":            {func(e *Evidence) { e.Doubts = []sight.Span{{FromS: 3, ToS: 4.5}} }, Doubtful, "3.0 to 4.5 s"},
		"sides exchanged":            {func(e *Evidence) { e.SwappedShare = 0.4 }, Doubtful, "40 %"},
		"does not fit":               {func(e *Evidence) { e.ReprojShare = 0.02 }, Doubtful, "2.0 %"},
		"fits nowhere":               {func(e *Evidence) { e.ReprojShare = 0.06 }, Refused, "6.0 %"},
		"races":                      {func(e *Evidence) { e.SpeedMPerS = 12 }, Doubtful, "12 m/s"},
	} {
		e := still()
		c.spoil(e)
		v := Judge(e)
		text := strings.Join(v.Warnings, "\n")
		if v.Grade != c.want || !strings.Contains(text, c.says) || c.want == Good && c.says == "" && text != "" {
			t.Errorf("%s: %v, want %v and %q in %q", name, v.Grade, c.want, c.says, text)
		}
	}
}

// TestUnseen: sides are told together where both are hidden, a foot not again with
// its leg, short stretches not at all.
func TestUnseen(t *testing.T) {
	e := still()
	e.Hidden[sight.LeftLeg], e.Hidden[sight.RightLeg] = []sight.Span{{FromS: 1, ToS: 5}}, []sight.Span{{FromS: 3, ToS: 8}}
	e.Hidden[sight.LeftFoot], e.Hidden[sight.RightFoot] = []sight.Span{{FromS: 1, ToS: 6}}, []sight.Span{{FromS: 3, ToS: 8}}
	e.Hidden[sight.RightArm] = []sight.Span{{FromS: 0, ToS: 0.4}, {FromS: 7, ToS: 9}}
	e.Returns = []Return{{Span: sight.Span{FromS: 8.5, ToS: 9.5}, Alike: 1, Grown: 1}}
	var got []string
	for _, u := range Judge(e).Unseen {
		got = append(got, u.String())
	}
	want := []string{"person: 8.5 to 9.5 s", "legs: 3.0 to 5.0 s", "left leg: 1.0 to 3.0 s", "right leg: 5.0 to 8.0 s",
		"feet: 5.0 to 6.0 s", "right arm: 7.0 to 9.0 s"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// randomSpans are a few stretches by rising time that do not overlap.
func randomSpans(r *rand.Rand) (out []sight.Span) {
	at := 0.0
	for range r.IntN(3) {
		s := sight.Span{FromS: at + 3*r.Float64(), ToS: 0}
		s.ToS = s.FromS + 4*r.Float64()
		out, at = append(out, s), s.ToS
	}
	return out
}

// random is any evidence at all.
func random(r *rand.Rand) *Evidence {
	e := &Evidence{
		Span: sight.Span{FromS: 0, ToS: 10}, CameraHeightM: 3*r.Float64() - 1, CameraTiltDeg: 60 * r.Float64(), StanceShare: r.Float64(),
		InvertedShare: r.Float64(), SwappedShare: r.Float64() / 2, MissedShare: r.Float64(),
		ReprojShare: 0.05 * r.Float64(), SpeedMPerS: 15 * r.Float64(), SwayMost: r.Float64() * r.Float64(),
	}
	e.AbsentShare = max(e.MissedShare, r.Float64())
	e.LyingShare = e.InvertedShare + (1-e.InvertedShare)*r.Float64()
	for i := range e.Hidden {
		e.Hidden[i] = randomSpans(r)
	}
	for range r.IntN(4) {
		e.CutsS = append(e.CutsS, 10*r.Float64())
		e.Returns = append(e.Returns, Return{sight.Span{FromS: 3, ToS: 3 + 4*r.Float64()}, 2 * r.Float64(), 1 + r.Float64(), r.Float64()})
	}
	return e
}

// worsen makes one kind of evidence worse.
func worsen(r *rand.Rand, e *Evidence) (what string) {
	less := func(v *float64) { *v -= r.Float64() * 0.5 }
	more := func(v *float64, by float64) { *v += by * r.Float64() }
	switch k := r.IntN(17); k {
	case 15:
		more(&e.UndecodedShare, 1)
		return "undecoded"
	case 14:
		more(&e.LeanDeg, 20)
		return "lean"
	case 0:
		less(&e.CameraHeightM)
		return "camera lower"
	case 1:
		e.StanceShare *= r.Float64()
		return "stance"
	case 2:
		more(&e.CameraTiltDeg, 30)
		return "tilt"
	case 3:
		e.InvertedShare = min(1, e.InvertedShare+r.Float64())
		e.LyingShare = max(e.LyingShare, e.InvertedShare)
		return "inverted"
	case 4:
		e.LyingShare = min(1, e.LyingShare+r.Float64())
		return "lying"
	case 5:
		more(&e.SwappedShare, 0.5)
		return "swapped"
	case 6:
		more(&e.MissedShare, 1-e.MissedShare)
		e.AbsentShare = max(e.AbsentShare, e.MissedShare)
		return "missed"
	case 7:
		more(&e.ReprojShare, 0.05)
		return "reprojection"
	case 8:
		more(&e.SpeedMPerS, 10)
		return "speed"
	case 9:
		more(&e.SwayMost, 0.5)
		return "sway"
	case 10:
		e.CutsS = append(slices.Clone(e.CutsS), 10*r.Float64())
		return "one more cut"
	case 11:
		e.JumpsS = append(slices.Clone(e.JumpsS), 10*r.Float64())
		return "one more jump"
	case 12:
		e.Returns = append(slices.Clone(e.Returns), Return{sight.Span{FromS: 1, ToS: 1 + 3*r.Float64()}, 2 * r.Float64(), 1 + r.Float64(), r.Float64()})
		return "one more return"
	case 13:
		e.Returns = slices.Clone(e.Returns)
		for i := range e.Returns {
			longerS := 2 * r.Float64()
			e.Returns[i].ToS += longerS
			// Who was away for longer may have gone farther: it is worse only beyond that.
			e.Returns[i].Moved *= (1 + longerS) * (1 + 3*r.Float64())
			e.Returns[i].Alike *= r.Float64()
		}
		return "stranger returns"
	default:
		part := r.IntN(sight.NumParts)
		s := sight.Span{FromS: 10 * r.Float64(), ToS: 0}
		s.ToS = s.FromS + 5*r.Float64()
		e.Hidden[part] = append(minus(e.Hidden[part], []sight.Span{s}), s)
		slices.SortFunc(e.Hidden[part], func(a, b sight.Span) int {
			if a.FromS < b.FromS {
				return -1
			}
			return 1
		})
		return "part hidden for longer"
	}
}

// TestWorseIsNeverBetter: worse evidence never improves the verdict.
func TestWorseIsNeverBetter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	seen := map[Grade]int{}
	for i := range 60000 {
		e := random(r)
		if i%2 == 0 { // most of what is random is refused: begin from good ones, too
			e = still()
			for range r.IntN(3) {
				worsen(r, e)
			}
		}
		before := Judge(e)
		seen[before.Grade]++
		was := *e
		what := worsen(r, e)
		if after := Judge(e); after.Grade < before.Grade {
			t.Fatalf("%s: from %v to %v\n%+v\n%+v", what, before.Grade, after.Grade, was, *e)
		}
	}
	if len(seen) != 3 {
		t.Errorf("grades %v: the test looks at all of them", seen)
	}
}

// TestMirrored: a clip flipped left to right gets the same verdict, and names the
// other side.
func TestMirrored(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	flip := strings.NewReplacer("left", "right", "right", "left")
	for range 5000 {
		e := random(r)
		m := *e
		for p := sight.Part(0); int(p) < sight.NumParts; p += 2 {
			m.Hidden[p], m.Hidden[p+1] = e.Hidden[p+1], e.Hidden[p]
		}
		a, b := Judge(e), Judge(&m)
		sides := func(v Verdict, name func(string) string) (out []string) {
			for _, u := range v.Unseen {
				out = append(out, name(u.String()))
			}
			slices.Sort(out)
			return out
		}
		if a.Grade != b.Grade || !slices.Equal(sides(a, flip.Replace), sides(b, strings.Clone)) {
			t.Fatalf("%+v\n%+v", a, b)
		}
	}
}

// TestVerdictIsPure: Judge does not change its input, and says what decides first.
func TestVerdictIsPure(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 1000 {
		e := random(r)
		before, _ := json.Marshal(e)
		a, b := Judge(e), Judge(e)
		if after, _ := json.Marshal(e); string(before) != string(after) || !reflect.DeepEqual(a, b) {
			t.Fatal("the evidence was changed, or the verdict was")
		}
		if (a.Grade == Good) != (len(a.Warnings) == 0) {
			t.Fatalf("%+v", a)
		}
	}
	e := still()
	e.CutsS, e.StanceShare = []float64{3}, 0.1
	if w := Judge(e).Warnings; len(w) != 2 || !strings.Contains(w[0], "foot") {
		t.Errorf("the gravest comes first: %q", w)
	}
}

// TestGradeNames: the names of files, there and back.
func TestGradeNames(t *testing.T) {
	for _, want := range []string{"good", "doubtful", "refused"} {
		var g Grade
		if err := g.UnmarshalText([]byte(want)); err != nil || g.String() != want {
			t.Errorf("%s: %v, %v", want, g, err)
		}
	}
	var g Grade
	if err := g.UnmarshalText([]byte("fine")); err == nil || !strings.Contains(err.Error(), "good, doubtful, refused") {
		t.Errorf("%v", err)
	}
	js, err := json.Marshal(Judge(still()))
	if err != nil || string(js) != `{"verdict":"good","unseen":[],"warnings":[]}` {
		t.Errorf("%s, %v", js, err)
	}
}
