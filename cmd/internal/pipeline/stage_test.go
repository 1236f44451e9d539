package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// adder is a stage that counts its runs: it adds up a file's numbers and a value.
type adder struct {
	file   string
	plus   int
	runs   *int
	inputs bool // it says what it depends on
	kept   bool
	fail   error
}

func (a adder) stage() Stage[int] {
	s := Stage[int]{Name: "add", Work: func(ctx context.Context, tell Tell) (int, error) {
		*a.runs++
		tell(Progress{Done: 1, Total: 2, Detail: "half"})
		if a.fail != nil {
			return 0, a.fail
		}
		text, err := os.ReadFile(a.file)
		return len(text) + a.plus, err
	}}
	if a.inputs {
		s.Inputs = func(in *Inputs) {
			in.File("file", a.file)
			in.Value("plus", a.plus)
		}
	}
	if a.kept {
		s.Kept = &Kept[int]{
			Write: func(w io.Writer, n int) error { return json.NewEncoder(w).Encode(n) },
			Read:  func(r io.Reader) (n int, err error) { err = json.NewDecoder(r).Decode(&n); return n, err },
		}
	}
	return s
}

func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// A stage runs again if and only if something that it depends on has changed; what
// comes out is what a run from scratch gives.
func TestRunsAgainOnlyOnOtherInputs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	runs, seen, run := 0, map[string]bool{}, &Run{}
	file := written(t, "")
	for range 300 {
		text, plus := strings.Repeat("x", rng.IntN(5)), rng.IntN(4)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		before := runs
		got, err := Do(context.Background(), run, adder{file: file, plus: plus, runs: &runs, inputs: true}.stage())
		if err != nil || got != len(text)+plus {
			t.Fatalf("%q and %d gave %d, %v", text, plus, got, err)
		}
		key := fmt.Sprint(text, "+", plus)
		if ran := runs > before; ran == seen[key] {
			t.Fatalf("%s: ran %v, though its inputs were seen before: %v", key, ran, seen[key])
		}
		seen[key] = true
	}
	if runs != 20 {
		t.Errorf("%d runs for 20 different inputs", runs)
	}
}

func TestWithoutInputsAStageAlwaysRuns(t *testing.T) {
	runs, run := 0, &Run{Folder: t.TempDir(), Resume: true}
	for range 3 {
		if _, err := Do(context.Background(), run, adder{file: written(t, "x"), runs: &runs, kept: true}.stage()); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 3 {
		t.Errorf("%d runs, want 3", runs)
	}
}

// What is kept is taken up by a run that resumes, with the same inputs, and by no
// other; what is damaged is made anew.
func TestKeptResults(t *testing.T) {
	folder, file := t.TempDir(), written(t, "xyz")
	do := func(resume bool, plus int) (ran bool) {
		t.Helper()
		runs := 0
		got, err := Do(context.Background(), &Run{Folder: folder, Resume: resume}, adder{file: file, plus: plus, runs: &runs, inputs: true, kept: true}.stage())
		if err != nil || got != 3+plus {
			t.Fatalf("%d, %v", got, err)
		}
		return runs > 0
	}
	for range 2 {
		if !do(false, 1) {
			t.Error("a run that does not resume took an earlier result")
		}
	}
	if do(true, 1) {
		t.Error("a run that resumes made the same result again")
	}
	if !do(true, 2) {
		t.Error("a result of other inputs was taken")
	}
	files, err := filepath.Glob(filepath.Join(folder, keptFolder, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("kept %v, %v", files, err)
	}
	for _, name := range files {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(whole); i += 4 {
			bad := slices.Clone(whole)
			bad[i] ^= 4
			if err := os.WriteFile(name, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			do(true, 1) // it fails on a wrong result
			do(true, 2)
		}
		for _, bad := range [][]byte{nil, whole[:10], whole[:len(whole)-1]} {
			if err := os.WriteFile(name, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			do(true, 1)
			do(true, 2)
		}
	}
	mine := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(mine, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&Run{Folder: folder}).Forget(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 || left[0].Name() != "notes.txt" {
		t.Errorf("left: %v", left)
	}
	if err := (&Run{Folder: filepath.Join(folder, "none")}).Forget(); err != nil {
		t.Errorf("nothing to forget: %v", err)
	}
}

// A cancelled context is the error; before it began, a stage does not begin. Nothing is
// kept of what failed, and it is made when it is asked for again.
func TestCancel(t *testing.T) {
	folder, file, runs := t.TempDir(), written(t, "x"), 0
	run := &Run{Folder: folder, Resume: true}
	a := adder{file: file, runs: &runs, inputs: true, kept: true}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Do(ended, run, a.stage())
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "before add") || !strings.Contains(err.Error(), folder) || runs != 0 {
		t.Errorf("%v after %d runs", err, runs)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := a.stage()
	s.Work = func(ctx context.Context, _ Tell) (int, error) {
		cancel()
		<-ctx.Done()
		return 7, ctx.Err()
	}
	if got, err := Do(ctx, run, s); !errors.Is(err, context.Canceled) || got != 0 {
		t.Errorf("%d, %v", got, err)
	}
	a.fail = errors.New("no such joint")
	if _, err := Do(context.Background(), run, a.stage()); !errors.Is(err, a.fail) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("kept of what failed: %v", left)
	}
	a.fail = nil
	if got, err := Do(context.Background(), run, a.stage()); err != nil || got != 1 {
		t.Errorf("asked again: %d, %v", got, err)
	}
}

func TestStagesDoNotNest(t *testing.T) {
	run := &Run{}
	_, err := Do(context.Background(), run, Stage[int]{Name: "outer", Work: func(ctx context.Context, _ Tell) (int, error) {
		return Do(ctx, run, Stage[int]{Name: "inner", Work: func(context.Context, Tell) (int, error) { return 1, nil }})
	}})
	if err == nil || !strings.Contains(err.Error(), "inner inside of stage outer") {
		t.Errorf("%v", err)
	}
}

// Wall times are the stages' own: they are listed in the order of the first run, and
// add up to no more than the whole, also where stages fail, repeat or are not run.
func TestWallTimes(t *testing.T) {
	run, rng := &Run{}, rand.New(rand.NewPCG(3, 4))
	work := func(context.Context, Tell) (int, error) {
		for end := time.Now().Add(time.Duration(rng.IntN(2000)) * time.Microsecond); time.Now().Before(end); {
		}
		if rng.IntN(4) == 0 {
			return 0, errors.New("failed")
		}
		return 1, nil
	}
	var order []string
	start := time.Now()
	for range 50 {
		s := Stage[int]{Name: string(rune('a' + rng.IntN(5))), Work: work}
		if n := rng.IntN(3); n > 0 {
			s.Inputs = func(in *Inputs) { in.Value("n", n) }
		}
		if !slices.Contains(order, s.Name) {
			order = append(order, s.Name)
		}
		_, _ = Do(context.Background(), run, s)
	}
	whole, sum := time.Since(start).Seconds(), 0.0
	var got []string
	for _, w := range run.Walls() {
		got, sum = append(got, w.Stage), sum+w.Seconds
	}
	if !slices.Equal(got, order) || sum > whole || sum < whole/2 {
		t.Errorf("stages %v, want %v; %g s in all, of %g s", got, order, sum, whole)
	}
}

func TestProgressBearsTheStage(t *testing.T) {
	var got []Progress
	run, runs := &Run{Tell: func(p Progress) { got = append(got, p) }}, 0
	if _, err := Do(context.Background(), run, adder{file: written(t, ""), runs: &runs}.stage()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != (Progress{"add", 1, 2, "half"}) {
		t.Errorf("told %v", got)
	}
}

// Different collections have different keys, however their texts are put together.
func TestInputsAreUnambiguous(t *testing.T) {
	type pair [2]string
	words := []string{"", "a", "b", "ab", `a" "b`, "a\n", "\n", `"`}
	seen := map[string][]pair{}
	fill := func(ps []pair) func(*Inputs) {
		return func(in *Inputs) {
			for _, p := range ps {
				in.Hash(p[0], p[1])
			}
		}
	}
	var all [][]pair
	for _, a := range words {
		for _, b := range words {
			all = append(all, []pair{{a, b}})
			for _, c := range words {
				all = append(all, []pair{{a, b}, {c, "x"}})
			}
		}
	}
	for _, ps := range all {
		key, err := inputsOf("s", fill(ps))
		if err != nil {
			t.Fatal(err)
		}
		if other, there := seen[key]; there {
			t.Fatalf("%q and %q have one key", other, ps)
		}
		seen[key] = ps
		if again, _ := inputsOf("s", fill(ps)); again != key {
			t.Fatalf("%q has two keys", ps)
		}
		if of, _ := inputsOf("t", fill(ps)); of == key {
			t.Fatalf("%q: two stages have one key", ps)
		}
	}
}

func TestInputThatCannotBeHad(t *testing.T) {
	runs := 0
	_, err := Do(context.Background(), &Run{}, adder{file: filepath.Join(t.TempDir(), "none"), runs: &runs, inputs: true}.stage())
	if !errors.Is(err, os.ErrNotExist) || runs != 0 {
		t.Errorf("%v after %d runs", err, runs)
	}
	_, err = Do(context.Background(), &Run{}, Stage[int]{Name: "odd", Inputs: func(in *Inputs) { in.Value("work", func() {}) }})
	if err == nil || !strings.Contains(err.Error(), "odd: work") {
		t.Errorf("%v", err)
	}
}

func TestClear(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old", "mine"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "mine"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Clear(dir, "old", "never", "link"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 || left[0].Name() != "mine" {
		t.Errorf("left: %v", left)
	}
	if err := os.Mkdir(filepath.Join(dir, "old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Clear(dir, "old"); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Errorf("a folder: %v", err)
	}
}
