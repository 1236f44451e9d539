package seebench

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// Every row can be filmed: known motion, a part that it has, legal options, a name of its own.
func TestMatrixIsSound(t *testing.T) {
	rows := Matrix()
	if len(rows) < 60 {
		t.Errorf("%d rows, want 60 and more", len(rows))
	}
	names := map[string]bool{}
	for _, r := range rows {
		m, err := demonstrator.Find(r.Motion)
		if err != nil {
			t.Error(err)
		}
		if names[r.Name] || !strings.Contains(r.Name, "/") {
			t.Errorf("%s: name", r.Name)
		}
		names[r.Name] = true
		if r.FromS < 0 || r.ToS > m.Seconds || r.ToS-r.FromS < 2.5 || r.ToS-r.FromS > 7 {
			t.Errorf("%s: %g to %g of %g s", r.Name, r.FromS, r.ToS, m.Seconds)
		}
		if err := r.Options.Check(); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		if len(r.Verdicts) == 0 || r.WithinMm <= 0 {
			t.Errorf("%s: no verdict is right", r.Name)
		}
	}
}

// The parts that a row wants named are those that nobody can see for most of the clip, by geometry, and no others.
func TestMatrixWantsNamedWhatIsHidden(t *testing.T) {
	parts := map[string][]human.Joint{
		"left arm": {human.LElbow, human.LWrist}, "right arm": {human.RElbow, human.RWrist},
		"left leg": {human.LKnee, human.LAnkle}, "right leg": {human.RKnee, human.RAnkle},
		"left foot": {human.LAnkle, human.LHeel, human.LToe}, "right foot": {human.RAnkle, human.RHeel, human.RToe},
	}
	for _, r := range Matrix() {
		truth, o, err := r.perform()
		if err != nil {
			t.Fatal(err)
		}
		take, err := demonstrator.TakeOf(truth, o)
		if err != nil {
			t.Fatal(err)
		}
		for part, joints := range parts {
			n := 0
			for _, p := range take.Pictures {
				if !slices.ContainsFunc(joints, func(j human.Joint) bool { return p.Visible[j] }) {
					n++
				}
			}
			gone := float64(n) / float64(len(take.Pictures))
			told := slices.ContainsFunc(r.Unseen, func(u string) bool { return covers(u, part) })
			foot := strings.HasSuffix(part, "foot") // goes with a leg, of which it may be the last to be seen
			if told && !foot && gone < 0.5 || !told && gone > 0.5 && slices.Contains(r.Verdicts, "good") {
				t.Errorf("%s: the %s is hidden for %.0f %% of the time; wanted named: %v", r.Name, part, 100*gone, told)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	r := Row{Verdicts: []string{"good", "doubtful", "refused"}, WithinMm: 70, Unseen: []string{"legs"}}
	legs := []human.Unseen{{Part: "legs"}}
	for _, c := range []struct {
		grade   string
		unseen  []human.Unseen
		mm      float64
		right   bool
		missing int
	}{
		{"good", legs, 60, true, 0}, {"good", legs, 80, false, 0}, {"doubtful", legs, 500, true, 0}, {"doubtful", nil, 60, false, 1},
		{"refused", nil, 60, true, 0}, {"doubtful", []human.Unseen{{Part: "left leg"}}, 60, false, 1}, {"doubtful", []human.Unseen{{Part: "person"}}, 60, true, 0},
		{Failed, legs, 0, false, 0},
	} {
		if right, missing := r.judge(c.grade, c.unseen, c.mm); right != c.right || len(missing) != c.missing {
			t.Errorf("%+v: right %v, missing %v", c, right, missing)
		}
	}
	for pair, want := range map[[2]string]bool{{"legs", "right foot"}: true, {"left leg", "left foot"}: true, {"left leg", "right foot"}: false,
		{"feet", "left foot"}: true, {"feet", "legs"}: false, {"arms", "left arm"}: true, {"left arm", "arms"}: false} {
		if covers(pair[0], pair[1]) != want {
			t.Errorf("%v: %v", pair, !want)
		}
	}
}

func TestSelect(t *testing.T) {
	rows := Matrix()
	for pattern, want := range map[string]int{"": len(rows), "camera/march-side": 1, "camera": 18, "camera/*": 18, "picture/rotate-*": 3} {
		if got, err := Select(rows, pattern); err != nil || len(got) != want {
			t.Errorf("%q: %d rows, %v; want %d", pattern, len(got), err, want)
		}
	}
	for _, bad := range []string{"nothing/*", "[", "march"} {
		if _, err := Select(rows, bad); err == nil || !strings.Contains(err.Error(), "legal") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// counted measures rows by their names alone, and stops the run after so many.
func counted(stopAfter int32) (look func(context.Context, Row) (Result, error), n *atomic.Int32) {
	n = &atomic.Int32{}
	return func(_ context.Context, r Row) (Result, error) {
		if n.Add(1) > stopAfter {
			return Result{}, errors.New("killed")
		}
		return Result{Row: r.Name, Verdict: "good", Right: true, MPJPEMm: float64(len(r.Name))}, nil
	}, n
}

// A run that ends early has lost the row that it was at, no other; a torn line costs that line.
func TestJournalGoesOn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	rows := Matrix()[:10]
	b := &Bench{WidthPx: 96, HeightPx: 128, Journal: name}
	var n *atomic.Int32
	b.look, n = counted(6)
	if _, err := b.Run(t.Context(), rows); err == nil || n.Load() != 7 {
		t.Fatalf("after %d rows: %v", n.Load(), err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text[:len(text)-20], 0o600); err != nil { // as a power cut leaves it
		t.Fatal(err)
	}
	again := 0
	b.Done = func(_ Result, was bool) {
		if was {
			again++
		}
	}
	b.look, n = counted(99)
	got, err := b.Run(t.Context(), rows)
	if err != nil || n.Load() != 5 || again != 5 {
		t.Fatalf("%d measured, %d taken: %v", n.Load(), again, err)
	}
	for i, r := range got {
		if r.Row != rows[i].Name || r.MPJPEMm != float64(len(r.Row)) {
			t.Errorf("row %d is %+v", i, r)
		}
	}
	// Another size is another measurement; several jobs give the same results in the same order.
	b.look, n = counted(99)
	b.WidthPx, b.Jobs = 128, 4
	wide, err := b.Run(t.Context(), rows)
	if err != nil || n.Load() != 10 || !reflect.DeepEqual(wide, got) {
		t.Errorf("%d measured: %v", n.Load(), err)
	}
}

func TestJournalIsNoOtherFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(name, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &Bench{Journal: name}
	b.look, _ = counted(9)
	if _, err := b.Run(t.Context(), Matrix()[:1]); !errors.Is(err, infile.ErrUnusable) {
		t.Errorf("a file of notes: %v", err)
	}
	if text, _ := os.ReadFile(name); string(text) != "one\ntwo\n" {
		t.Errorf("it was changed: %q", text)
	}
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &Bench{}
	b.look = func(ctx context.Context, r Row) (Result, error) { cancel(); return Result{}, ctx.Err() }
	if _, err := b.Run(ctx, Matrix()[:3]); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func report() *Report {
	p := &Report{Schema: 1, Size: "288x360", Model: "full"}
	for i, n := range []string{"a/one", "a/two", "b/one", "b/two", "b/three"} {
		x := float64(i)
		p.Rows = append(p.Rows, Result{Row: n, Verdict: "good", Right: i != 4, MPJPEMm: 40 + 10*x, SwingDeg: 5 + x, KneeBiasDeg: x - 2, Lift: 0.5 + 0.1*x, ContactF1: 0.9, CausalMm: 0})
	}
	p.Rows[1].CausalMm = 60
	p.Rows[3].Verdict, p.Rows[3].Missing = "refused", []string{"legs"}
	return p
}

func TestReportSurvivesItsFile(t *testing.T) {
	var b bytes.Buffer
	if err := report().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 7 {
		t.Errorf("%d lines for 5 rows", n)
	}
	name := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(name); err != nil || !reflect.DeepEqual(got, report()) {
		t.Errorf("%v\n%+v", err, got)
	}
	for _, bad := range []string{"", "[]", `{"schema": 7}`, `{"schema": 1, "rows": [{"mpjpe_mm": "many"}]}`} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(name); !errors.Is(err, infile.ErrUnusable) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The same results have no changes; noise is none; what is nearer to right is better, whatever its sign.
func TestAgainst(t *testing.T) {
	if c, u := report().Against(report()); len(c)+len(u) != 0 {
		t.Errorf("against itself: %v %v", c, u)
	}
	now := report()
	now.Rows[0].MPJPEMm += 1.9   // noise
	now.Rows[1].MPJPEMm -= 10    // better
	now.Rows[0].KneeBiasDeg = -4 // worse: was -2
	now.Rows[4].KneeBiasDeg = -1 // better: was 2, as far off would be -2
	now.Rows[2].Lift = 1.4       // worse: was 0.7
	now.Rows[4].Right, now.Rows[4].Verdict = true, "doubtful"
	now.Rows = append(now.Rows, Result{Row: "c/new"})
	changes, unpaired := now.Against(report())
	var got []string
	for _, c := range changes {
		got = append(got, c.Row+" "+c.Figure+map[bool]string{true: " worse", false: " better"}[c.Worse])
	}
	want := []string{"a/one knee bias deg worse", "a/two MPJPE mm better", "b/one foot lift worse", "b/three verdict better"}
	first := got[0]
	slices.Sort(got)
	if !slices.Contains(got, want[3]) || first != want[3] || !reflect.DeepEqual(got, []string{want[0], want[1], want[2], want[3]}) {
		t.Errorf("changes %q, first %q", got, first)
	}
	if !reflect.DeepEqual(unpaired, []string{"c/new"}) {
		t.Errorf("unpaired %v", unpaired)
	}
	// Turned round, better is worse.
	back, _ := report().Against(&Report{Rows: now.Rows[:5]})
	if len(back) != len(changes) {
		t.Fatalf("%d changes there, %d back", len(changes), len(back))
	}
	for _, c := range back {
		i := slices.IndexFunc(changes, func(d Change) bool { return d.Row == c.Row && d.Figure == c.Figure })
		if i < 0 || changes[i].Worse == c.Worse {
			t.Errorf("%+v is no change back", c)
		}
	}
}

func TestMediansAndWorst(t *testing.T) {
	p := report()
	m := p.Medians()
	if len(m) != 3 || m[0].Group != "a" || m[1].Group != "b" || m[2].Group != "all" {
		t.Fatalf("%+v", m)
	}
	if m[0].MPJPEMm != 45 || m[1].MPJPEMm != 70 || m[2].MPJPEMm != 60 || m[0].CausalMm != 60 || m[1].CausalMm != 0 || m[2].Right != 4 || m[2].Rows != 5 {
		t.Errorf("%+v", m)
	}
	if w := p.Worst(2); len(w) != 2 || w[0].Row != "b/three" || w[1].Row != "b/one" {
		t.Errorf("worst: %+v", w) // b/two is refused
	}
	r := Result{MPJPEMm: 47.123456, Lift: 0.70000001, FPS: 133.7}
	r.round()
	if r.MPJPEMm != 47.1 || r.Lift != 0.7 || r.FPS != 134 || math.Signbit(r.HeadingDeg) {
		t.Errorf("rounded: %+v", r)
	}
}
