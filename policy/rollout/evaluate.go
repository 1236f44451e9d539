package rollout

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/rate"
	"github.com/mitori-robotics/mitori/policy/infer"
)

// Result is one evaluated episode.
type Result struct {
	Episode     Episode
	Survived    bool
	Seconds     float64 // until the end or the fall
	JointErrRad float64 // means over the steps before the end
	RootErrM    float64
	ActionRate  float64
	TorqueNm    float64
}

// Score sums up a test set.
type Score struct {
	Episodes    int     `json:"episodes"`
	Survival    float64 `json:"survival"`      // share of episodes
	JointErrRad float64 `json:"joint_err_rad"` // means over episodes
	RootErrM    float64 `json:"root_err_m"`
	ActionRate  float64 `json:"action_rate"`
}

// Rate is Survival as the count that it was made of.
func (s Score) Rate() rate.Rate {
	return rate.Rate{Hits: int(math.Round(s.Survival * float64(s.Episodes))), Trials: s.Episodes}
}

// Better orders scores: survival first, then joint error, then action rate.
func (s Score) Better(t Score) bool {
	if s.Survival != t.Survival {
		return s.Survival > t.Survival
	}
	if s.JointErrRad != t.JointErrRad {
		return s.JointErrRad < t.JointErrRad
	}
	return s.ActionRate < t.ActionRate
}

// Evaluate plays every episode once with the network's own output (no exploration) under the given dynamics, as many
// at a time as there are worlds, and gives the results in the order of the episodes. A nil net plays the reference
// on the servos. Episode.World is assigned here.
func Evaluate(env Env, task Task, net *infer.Net, episodes []Episode, dynamics Randomization) (Score, []Result, error) {
	r, err := NewRunner(env, task)
	if err != nil {
		return Score{}, nil, err
	}
	var forward *infer.Runner
	if net != nil {
		if net.In() != task.Spec.Dim() || net.Out() != task.Spec.Joints() {
			return Score{}, nil, fmt.Errorf("rollout: the network is %d -> %d, the task %d -> %d",
				net.In(), net.Out(), task.Spec.Dim(), task.Spec.Joints())
		}
		forward = net.NewRunner(r.Worlds())
	}
	results := make([]Result, 0, len(episodes))
	for first := 0; first < len(episodes); first += r.Worlds() {
		group := append([]Episode(nil), episodes[first:min(first+r.Worlds(), len(episodes))]...)
		done, err := r.play(group, forward, dynamics)
		if err != nil {
			return Score{}, nil, err
		}
		results = append(results, done...)
	}
	return Sum(results), results, nil
}

func (r *Runner) play(group []Episode, forward *infer.Runner, dynamics Randomization) ([]Result, error) {
	// Worlds without an episode of their own repeat the last one, so that every world is in a legal state.
	all := make([]Episode, r.Worlds())
	for w := range all {
		all[w] = group[min(w, len(group)-1)]
		all[w].World = w
	}
	if err := r.Begin(all, dynamics); err != nil {
		return nil, err
	}
	results, ended, left := make([]Result, len(group)), make([]bool, len(group)), len(group)
	out, actions := make([]Outcome, r.Worlds()), make([]float32, r.Worlds()*r.layout.Joints)
	steps := make([]int, len(group))
	for left > 0 {
		if forward != nil {
			forward.Forward(actions, r.obs, r.Worlds())
		}
		if err := r.Step(actions, out); err != nil {
			return nil, err
		}
		for w := range group {
			if ended[w] {
				continue
			}
			res, o := &results[w], out[w]
			steps[w]++
			res.JointErrRad += o.JointErrRad
			res.RootErrM += o.RootErrM
			res.ActionRate += o.ActionRate
			res.TorqueNm += o.TorqueNm
			if o.End == Running {
				continue
			}
			n := float64(steps[w])
			*res = Result{Episode: all[w], Survived: o.End == Finished, Seconds: n * r.layout.PeriodS,
				JointErrRad: res.JointErrRad / n, RootErrM: res.RootErrM / n, ActionRate: res.ActionRate / n, TorqueNm: res.TorqueNm / n}
			ended[w] = true
			left--
		}
	}
	return results, nil
}

// Sum averages results.
func Sum(results []Result) Score {
	s := Score{Episodes: len(results)}
	if len(results) == 0 {
		return s
	}
	for _, r := range results {
		if r.Survived {
			s.Survival++
		}
		s.JointErrRad += r.JointErrRad
		s.RootErrM += r.RootErrM
		s.ActionRate += r.ActionRate
	}
	n := float64(len(results))
	s.Survival /= n
	s.JointErrRad /= n
	s.RootErrM /= n
	s.ActionRate /= n
	return s
}
