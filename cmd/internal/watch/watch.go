// Package watch is extraction from a live source: it joins the source (perception/feed),
// the networks and the solver (perception/live) with whoever wants the poses, and says on
// the terminal what holds and how late poses are.
//
// What is not here: following and solving. Run belongs to one goroutine.
package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/poserecord"
	"github.com/mitori-robotics/mitori/perception/feed"
	"github.com/mitori-robotics/mitori/perception/live"
	"github.com/mitori-robotics/mitori/perception/track"
)

// Options say what is watched and who hears of it.
type Options struct {
	Place     feed.Place
	Extract   extract.Options // its networks and solver
	LagFrames int
	Binary    bool          // records as bytes, not as lines of JSON
	Out       string        // see OpenOutlet
	Every     time.Duration // between two lines of latencies on a terminal; 0: none
	Reconnect bool          // try again when a camera or a stream is gone
	JSON      bool          // the summary for programs
}

// againEvery passes before a source that is gone is tried again.
const againEvery = 2 * time.Second

// Run watches until the source or ctx ends, or the reader of the records goes away.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) error {
	// A reader who goes away is an error of a write, not the death of the process.
	signal.Ignore(syscall.SIGPIPE)
	nets, err := track.LoadNetworks(o.Extract.Track)
	if err != nil {
		return err
	}
	tracker, err := track.New(nets, o.Extract.Track.Person)
	if err != nil {
		return errors.Join(err, nets.Close())
	}
	out, err := OpenOutlet(o.Out, stdout)
	if err != nil {
		return errors.Join(err, tracker.Close(), nets.Close())
	}
	w := &watch{Options: o, tracker: tracker, out: out, talk: cli.NewProgress(stderr), onTerminal: cli.IsTerminal(stderr), start: time.Now()}
	err = w.run(ctx)
	w.talk.End()
	err = errors.Join(err, out.Close(), tracker.Close(), nets.Close())
	summaryTo := stdout
	if o.Out == "-" {
		summaryTo = stderr
	}
	return errors.Join(w.summarise(summaryTo), err)
}

// watch is one Run.
type watch struct {
	Options
	tracker    live.Tracker
	follower   *live.Follower
	out        Outlet
	talk       *cli.Progress
	onTerminal bool
	start      time.Time
	toldAt     time.Time
	records    uint64
}

// run follows the source, again where it shall be tried again.
func (w *watch) run(ctx context.Context) error {
	w.toldAt = w.start
	w.follower = live.NewFollower(live.Following{
		Watcher: live.New(w.tracker, live.Options{Options: w.Extract.Solve, LagFrames: w.LagFrames}),
		Emit:    w.emit,
		Tell:    func(n live.Notice) { w.talk.Line(fmt.Sprintf("%.1f s: %s", n.TimeS, n.Text)) },
	})
	if w.Out == "" {
		w.talk.Line("no records are written; -o - writes them to standard output, -o unix:PATH to whoever connects")
	}
	for {
		src, err := feed.Open(w.Place, w.start)
		if err == nil {
			err = w.follower.Follow(ctx, src)
		}
		if ordinary(ctx, err) {
			return nil
		}
		var ofSource *live.SourceError
		switch {
		case err == nil && !w.Reconnect:
			return w.enough()
		case err == nil: // a stream whose server ended it
			err = fmt.Errorf("%v: it has ended", w.Place)
		case !w.Reconnect || errors.Is(err, infile.ErrUnusable) || w.follower.Count().Pictures == 0,
			src != nil && !errors.As(err, &ofSource):
			return err
		}
		w.talk.Line(fmt.Sprintf("%v; trying again every %v", err, againEvery))
		select {
		case <-time.After(againEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// ordinary tells an end that somebody asked for from a fault.
func ordinary(ctx context.Context, err error) bool {
	return errors.Is(err, errReaderGone) || ctx.Err() != nil
}

// enough refuses a source that ended without a single pose.
func (w *watch) enough() error {
	if n := w.follower.Count(); n.Poses == 0 {
		return fmt.Errorf("%v: it ended after %d pictures without a pose: the person must be in the picture for 2 s", w.Place, n.Pictures)
	}
	return nil
}

// emit hands a record on and, now and then, tells how late poses are.
func (w *watch) emit(r *poserecord.Record) error {
	if w.onTerminal && w.Every > 0 && time.Since(w.toldAt) >= w.Every {
		w.toldAt = time.Now()
		w.talk.Show(fmt.Sprintf("%.0f s: %v, %d dropped", r.TimeS, w.follower.LastLatency(), w.follower.Count().Dropped), false, false)
	}
	var b []byte
	var err error
	if w.Binary {
		b = poserecord.AppendBinary(nil, r)
	} else if b, err = poserecord.AppendJSON(nil, r); err != nil {
		return err
	}
	w.records++
	return w.out.Put(b)
}

// Summary is what is told at the end.
type Summary struct {
	live.Count
	Seconds        float64               `json:"seconds"`
	LatencyMs      map[string][2]float64 `json:"latency_p50_p95_ms"`
	Records        uint64                `json:"records"`
	RecordsDropped uint64                `json:"records_dropped"`
}

// summarise tells what came of the pictures and how late poses were.
func (w *watch) summarise(out io.Writer) error {
	if w.follower.Count().Pictures == 0 && !w.JSON {
		return nil // an error says why
	}
	m := w.follower.Latency()
	s := Summary{Count: w.follower.Count(), Seconds: time.Since(w.start).Seconds(), LatencyMs: map[string][2]float64{},
		Records: w.records, RecordsDropped: w.out.Dropped()}
	for stage := range live.Age + 1 {
		s.LatencyMs[stage.String()] = [2]float64{m.Quantile(stage, 0.5), m.Quantile(stage, 0.95)}
	}
	if w.JSON {
		return json.NewEncoder(out).Encode(s)
	}
	_, err := fmt.Fprintf(out, "%d pictures in %.1f s: %d poses, %d pictures dropped, %d between poses, %d not solved in time\nlatency: %v\nrecords: %d, %d dropped\n",
		s.Pictures, s.Seconds, s.Poses, s.Dropped, s.Between, s.Unsolved, m, s.Records, s.RecordsDropped)
	return err
}
