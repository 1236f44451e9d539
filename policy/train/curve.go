package train

import "github.com/mitori-robotics/mitori/policy/rollout"

// Point is one iteration of the learning curve.
type Point struct {
	Steps       int64          `json:"steps"`
	WallS       float64        `json:"wall_s"` // since the start, over all resumptions
	Level       float64        `json:"level"`  // of randomisation, 0 to 1
	Reward      float64        `json:"reward"` // mean of a step
	JointErrRad float64        `json:"joint_err_rad"`
	RootErrM    float64        `json:"root_err_m"`
	Episodes    int            `json:"episodes"` // that ended in this iteration
	Finished    float64        `json:"finished"` // share of them that stood to their end
	Learnt                     // what the method says
	CollectS    float64        `json:"collect_s"`
	LearnS      float64        `json:"learn_s"`
	Eval        *rollout.Score `json:"eval,omitempty"`
}

// playStats sums up what happened to the worlds in one iteration.
type playStats struct {
	steps, episodes, finished int
	reward, jointErr, rootErr float64
}

func (s *playStats) add(o *rollout.Outcome) {
	s.steps++
	s.reward += o.Reward
	s.jointErr += o.JointErrRad
	s.rootErr += o.RootErrM
	if o.End != rollout.Running {
		s.episodes++
	}
	if o.End == rollout.Finished {
		s.finished++
	}
}

// point begins an entry of the learning curve.
func (s *playStats) point() Point {
	n := float64(s.steps)
	p := Point{Reward: s.reward / n, JointErrRad: s.jointErr / n, RootErrM: s.rootErr / n, Episodes: s.episodes, Finished: 1}
	if s.episodes > 0 {
		p.Finished = float64(s.finished) / float64(s.episodes)
	}
	return p
}
