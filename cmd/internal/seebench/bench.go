package seebench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/models/mp4"
	"github.com/mitori-robotics/mitori/perception/video"
	"github.com/mitori-robotics/mitori/sim/render"
)

// Bench is one measurement of some rows.
type Bench struct {
	WidthPx, HeightPx int
	Choices           extract.Choices
	Jobs              int    // rows at once; more than one disturbs speed and latency
	Clips             string // folder in which clips are kept and found again; "" keeps none
	Journal           string // file of results, a line a row, that an interrupted run goes on from; "" is none
	// Done hears of every result, in the order in which they come; again is true for one
	// of the journal. Calls do not overlap.
	Done func(r Result, again bool)

	// look measures one row; nil films and extracts it.
	look func(ctx context.Context, row Row) (Result, error)
}

// Run measures the rows and returns their results in the same order. A clip that cannot be
// read is a result; that nothing can be filmed or seen in this build is an error.
func (b *Bench) Run(ctx context.Context, rows []Row) ([]Result, error) {
	program, err := programHash()
	if err != nil {
		return nil, err
	}
	j, err := openJournal(b.Journal)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	if b.look == nil {
		b.look = b.measure
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out, next := make([]Result, len(rows)), make(chan int)
	var turn sync.Mutex
	var workers sync.WaitGroup
	for range max(1, b.Jobs) {
		workers.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					continue // only to empty the queue
				}
				row := b.sized(rows[i])
				key := b.key(row, program)
				r, again := j.Find(key)
				if !again {
					var err error
					if r, err = b.look(ctx, row); err != nil {
						stop(err)
						continue
					}
				}
				turn.Lock()
				out[i] = r
				if err := b.note(j, key, r, again); err != nil {
					stop(err)
				}
				turn.Unlock()
			}
		})
	}
	for i := range rows {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return out, context.Cause(ctx)
}

// note keeps a result that is new, and tells of it.
func (b *Bench) note(j *journal, key string, r Result, again bool) error {
	if b.Done != nil {
		b.Done(r, again)
	}
	if again {
		return nil
	}
	return j.Add(key, r)
}

// sized is the row in the size of this measurement.
func (b *Bench) sized(r Row) Row {
	r.Options.WidthPx, r.Options.HeightPx = b.WidthPx, b.HeightPx
	return r
}

// key says what a result depends on: the row, the choices, and the program that found it.
func (b *Bench) key(r Row, program string) string {
	return hash(r, b.Choices, program)
}

func hash(parts ...any) string {
	text, _ := json.Marshal(parts) // numbers and texts only
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// programHash is that of the program that runs: another one may see something else.
func programHash() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	return pipeline.FileHash(name)
}

// measure films one row, extracts and judges it.
func (b *Bench) measure(ctx context.Context, row Row) (r Result, err error) {
	r = Result{Row: row.Name, Verdict: Failed}
	folder, err := os.MkdirTemp("", "mitori-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(folder)
	if b.Clips != "" {
		folder = b.Clips
	}
	scene := hash(row.Motion, row.FromS, row.ToS, row.Options)
	clip := filepath.Join(folder, strings.ReplaceAll(row.Name, "/", "_")+"-"+scene+".mp4")
	truth, take, err := row.film(ctx, clip)
	if err != nil {
		return r, err
	}
	r.seen(take)
	defer r.round()
	choices := b.Choices
	choices.HeightM = row.Options.HeightM // who is not of middle height says so: one camera cannot
	o, err := choices.Options(clip)
	if err != nil {
		return r, err
	}
	e, err := pipeline.Do(ctx, &pipeline.Run{}, extract.Stage(o))
	switch {
	case ctx.Err() != nil || blind(err):
		return r, err
	case err != nil:
		r.Error = strings.ReplaceAll(err.Error(), clip, row.Name)
		return r, nil
	}
	if err := r.measure(e, truth, take); err != nil {
		r.Error = err.Error()
		return r, nil
	}
	r.Verdict = e.Verdict.Grade.String()
	r.Right, r.Missing = row.judge(r.Verdict, e.Verdict.Unseen, r.MPJPEMm)
	if row.Causal {
		if err := r.live(ctx, o, truth); err != nil {
			r.Error = "picture by picture: " + err.Error()
		}
	}
	return r, ctx.Err()
}

// live measures the row's clip picture by picture.
func (r *Result) live(ctx context.Context, o extract.Options, truth *human.Motion) error {
	e, err := pipeline.Do(ctx, &pipeline.Run{}, extract.Causal(o))
	if err != nil {
		return err
	}
	c, err := metrics.Compare(e.Motion, truth)
	if err != nil {
		return err
	}
	r.CausalMm, r.P50Ms, r.P95Ms = c.MPJPEMm, e.Causal.P50Ms, e.Causal.P95Ms
	return nil
}

// blind tells an error of this build or machine from one of a clip.
func blind(err error) bool {
	return errors.Is(err, render.ErrNotBuilt) || errors.Is(err, video.ErrNotBuilt) || errors.Is(err, mp4.ErrNoFFmpeg)
}
