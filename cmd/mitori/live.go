package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/watch"
	"github.com/mitori-robotics/mitori/perception/feed"
	"github.com/mitori-robotics/mitori/perception/solve"
)

// liveFlags are the choices of extract --live alone.
type liveFlags struct {
	on, reconnect bool
	raw, format   string
	every         time.Duration
	lag           int
}

func (l *liveFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&l.on, "live", false, "VIDEO is a camera, a stream, - (frames through standard input), or a file at its own pace; poses come as they are made")
	f.StringVar(&l.raw, "raw", "", "with --live -: how raw frames are laid out, as in 640x480@30:bgr24 (default: YUV4MPEG2)")
	f.StringVar(&l.format, "format", "ndjson", "with --live: records as lines of JSON (ndjson) or as bytes (binary)")
	f.DurationVar(&l.every, "every", 5*time.Second, "with --live: time between two lines of latencies on a terminal, 0s for none")
	f.BoolVar(&l.reconnect, "reconnect", false, "with --live: try again when a camera or a stream is gone")
	f.IntVar(&l.lag, "lag", solve.DefaultLagFrames, "with --live: how many poses (33 ms each) a pose lies before the newest picture")
}

// stray names a flag that means something with --live alone and was given without.
func (l *liveFlags) stray(f *pflag.FlagSet) error {
	for _, name := range []string{"raw", "format", "every", "reconnect", "lag"} {
		if !l.on && f.Changed(name) {
			return fault.Usage("--%s goes with --live", name)
		}
	}
	return nil
}

// notLive are flags of extract that make no sense as long as the end is not known.
var notLive = []string{"overlay", "show-faces", "causal", "anyway", "from", "to"}

// watch follows a live source.
func (x *extractFlags) watch(c *cobra.Command, source string) error {
	l := &x.live
	for _, name := range notLive {
		if f := c.Flags().Lookup(name); f != nil && f.Changed {
			return fault.Usage("--live and --%s exclude each other", name)
		}
	}
	if l.format != "ndjson" && l.format != "binary" {
		return fault.Usage("--format %q; legal: ndjson, binary", l.format)
	}
	if err := x.inTime(); err != nil {
		return err
	}
	if l.every < 0 {
		return fault.Usage("--every %v; legal: 0s or more", l.every)
	}
	place, err := feed.Parse(source, l.raw)
	if errors.Is(err, feed.ErrName) {
		return fault.Usage("%w", err)
	}
	if err != nil {
		return err
	}
	if l.reconnect && !place.Lasting() {
		return fault.Usage("--reconnect is for cameras and streams, not for %v", place)
	}
	if err := cli.NotOver(x.out, source); err != nil {
		return err
	}
	o, err := x.look.Options(source)
	if err != nil {
		return err
	}
	return watch.Run(c.Context(), watch.Options{Place: place, Extract: o, LagFrames: l.lag, Binary: l.format == "binary",
		Out: x.out, Every: l.every, Reconnect: l.reconnect, JSON: x.asJSON}, c.OutOrStdout(), c.ErrOrStderr())
}
