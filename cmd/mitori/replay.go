package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/actuators/loop"
	"github.com/mitori-robotics/mitori/actuators/replay"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/build"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/policy/bundle"
	"github.com/mitori-robotics/mitori/policy/control"
)

// replayFlags are those of one replay.
type replayFlags struct {
	policy, robot    string
	anyBuild, asJSON bool
}

func newReplayCmd() *cobra.Command {
	f := &replayFlags{}
	c := &cobra.Command{
		Use:   "replay FLIGHT.mcap...",
		Short: "Decide a recorded flight again, and stop at the first difference",
		Long: `Decide a recorded flight again: loop, guard, monitor and state machine run on what
the recording says was read, asked for and answered, and everything that they decide
in a tick is compared bit for bit. Several files are one flight that was continued.

With --policy the controller decides again, too; else its recorded output is taken.

Exit codes: 0 every decision the same, 1 a difference (tick, time, joint, field, both
values), 3 refused: damaged, with a hole, of an earlier schema, of another build.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o := replay.Options{AnyBuild: f.anyBuild}
			if f.policy != "" {
				b, err := bundle.Load(f.policy)
				if err != nil {
					return err
				}
				o.Controller = func(facts map[string]string) (loop.Controller, error) { return f.controller(b, facts) }
			} else if f.robot != "" {
				return fault.Usage("--robot is for --policy, and that is not given")
			}
			began := time.Now()
			sum, err := replay.Files(args, o)
			took := time.Since(began)
			if f.asJSON {
				return errors.Join(json.NewEncoder(c.OutOrStdout()).Encode(replayed(sum, took, err)), err)
			}
			if err == nil {
				tellReplay(c.OutOrStdout(), sum, took)
			}
			return err
		},
	}
	c.Flags().StringVar(&f.policy, "policy", "", "policy bundle that was flown: it decides again")
	c.Flags().StringVar(&f.robot, "robot", "",
		"with --policy: robot, where it is none of the built-in ones (name or path of a robot.yaml)")
	c.Flags().BoolVar(&f.anyBuild, "any-build", false,
		"replay what another build recorded: a difference may then be the build's")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return c
}

// controller makes the one that flew of its bundle, for the header of the recording.
func (f *replayFlags) controller(b *bundle.Bundle, facts map[string]string) (loop.Controller, error) {
	if was := facts["policy_hash"]; was != b.SHA256 {
		return nil, fmt.Errorf("--policy %s is not what flew: its sha256 is %.12s; legal: %.12s (%s)", f.policy,
			b.SHA256, was, facts["policy"])
	}
	name := f.robot
	if name == "" {
		name = facts["robot"]
	}
	desc, err := robot.Load(name)
	if err != nil {
		return nil, fmt.Errorf("%w; give the robot that flew with --robot", err)
	}
	if was := facts["robot_hash"]; was != desc.Hash {
		return nil, fmt.Errorf("robot %s is not what flew: its hash is %.12s; legal: %.12s; give the one that flew with --robot", name, desc.Hash, was)
	}
	return control.New(b, desc)
}

// replayResult is the JSON of a replay.
type replayResult struct {
	Equal      bool    `json:"equal"`
	Ticks      int     `json:"ticks"` // that were the same
	FlightS    float64 `json:"flight_s"`
	TookS      float64 `json:"took_s"`
	Changes    int     `json:"changes"`
	EndState   string  `json:"end_state"`
	Rerun      bool    `json:"policy_rerun"`
	Truncated  bool    `json:"truncated"`
	Build      string  `json:"build"`
	Difference any     `json:"difference,omitempty"`
}

// replayDifference is the JSON of the first difference.
type replayDifference struct {
	Tick     int64   `json:"tick"`
	AtS      float64 `json:"at_s"`
	Joint    string  `json:"joint,omitempty"`
	Field    string  `json:"field"`
	Recorded string  `json:"recorded"`
	Replayed string  `json:"replayed"`
}

func replayed(s replay.Summary, took time.Duration, err error) replayResult {
	r := replayResult{
		Equal: err == nil, Ticks: s.Ticks, FlightS: s.Seconds, TookS: took.Seconds(), Changes: s.Changes, EndState: s.Ended,
		Rerun: s.Rerun, Truncated: s.Truncated, Build: s.Build,
	}
	if d, ok := errors.AsType[*replay.DifferenceError](err); ok {
		r.Difference = replayDifference{d.Tick, d.AtS, d.Joint, d.Field, d.Recorded, d.Replayed}
	}
	return r
}

// tellReplay says in words that all was the same.
func tellReplay(out io.Writer, s replay.Summary, took time.Duration) {
	policy := "the controller's recorded output taken"
	if s.Rerun {
		policy = "the policy decided again"
	}
	fmt.Fprintf(out, "every decision is the same: %d ticks (%.1f s), %d changes of state, %s at the end; %s; %.2f s\n",
		s.Ticks, s.Seconds, s.Changes, s.Ended, policy, took.Seconds())
	if !build.Known() {
		fmt.Fprintf(out, "this program (%s) does not know of which commit it is, and so not whether the same one recorded the flight\n", s.Build)
	}
	if s.Truncated {
		fmt.Fprintln(out, "the recording ends in the middle of the flight: what came after is not known")
	}
}
