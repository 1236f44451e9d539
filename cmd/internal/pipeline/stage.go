package pipeline

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/interrupt"
)

// Stage makes one result.
type Stage[Out any] struct {
	// Name is the word for it in progress, errors and wall times. Stages of one run
	// that share a name share a wall time.
	Name string
	// Inputs names all that the result depends on; without it the stage runs whenever
	// it is asked for.
	Inputs func(*Inputs)
	// Work makes the result. It ends soon after ctx does, publishes whole files only,
	// and may be told to nobody: tell is never nil.
	Work func(ctx context.Context, tell Tell) (Out, error)
	// Kept says how the result lies in a file until its run is done, for a run that
	// resumes; nil where it is made anew.
	Kept *Kept[Out]
}

// Kept is a result in a file.
type Kept[Out any] struct {
	Write func(io.Writer, Out) error
	Read  func(io.Reader) (Out, error)
}

// Progress is how far a stage is.
type Progress struct {
	Stage       string
	Done, Total float64 // frames of a video, or the share of a budget
	Detail      any     // what only this stage knows; its package documents the type
}

// Tell takes progress. It is called from the goroutine that does the work, must not
// block, and must not run stages.
type Tell func(Progress)

// Run is one way along a path of stages. The zero value keeps nothing, tells nobody
// and never resumes: all that one stage alone needs.
type Run struct {
	// Folder is where results are kept; none where it is empty.
	Folder string
	// Resume takes up what an earlier run kept in Folder.
	Resume bool
	Tell   Tell // may be nil

	walls  []Wall
	inside string // the stage at work
	made   map[string]any
}

// Wall is the time that a stage took, over all its runs.
type Wall struct {
	Stage   string
	Seconds float64
}

// Walls returns the stages in the order of their first run. Their times do not
// overlap.
func (r *Run) Walls() []Wall { return append([]Wall(nil), r.walls...) }

// Do runs a stage, or takes the result that its inputs have already led to. An error
// of the work is returned as it is; that of a context that had ended before says so
// in words and is context.Canceled.
func Do[Out any](ctx context.Context, r *Run, s Stage[Out]) (Out, error) {
	var none Out
	if r.inside != "" {
		return none, fmt.Errorf("pipeline: stage %s inside of stage %s: stages stand beside each other", s.Name, r.inside)
	}
	if ctx.Err() != nil {
		return none, r.before(s.Name)
	}
	r.inside = s.Name
	start := time.Now()
	defer func() {
		r.inside = ""
		r.spent(s.Name, time.Since(start).Seconds())
	}()
	key, err := inputsOf(s.Name, s.Inputs)
	if err != nil {
		return none, err
	}
	if out, ok := recall(r, s, key); ok {
		return out, nil
	}
	out, err := s.Work(ctx, r.teller(s.Name))
	if err != nil {
		return none, err
	}
	return out, keep(r, s, key, out)
}

// before is the error of a stage that was not begun.
func (r *Run) before(name string) error {
	if r.Folder == "" {
		return interrupt.Errorf("interrupted before %s", name)
	}
	return interrupt.Errorf("interrupted before %s; what was written lies in %s", name, r.Folder)
}

func (r *Run) teller(name string) Tell {
	return func(p Progress) {
		if p.Stage = name; r.Tell != nil {
			r.Tell(p)
		}
	}
}

func (r *Run) spent(name string, seconds float64) {
	for i := range r.walls {
		if r.walls[i].Stage == name {
			r.walls[i].Seconds += seconds
			return
		}
	}
	r.walls = append(r.walls, Wall{name, seconds})
}
