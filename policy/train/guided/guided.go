// Package guided begins as imitation and goes on by PPO: gentle motions are done when the imitation is, the others
// gain by trial what the expert does not know.
//
// It holds one method of each kind and says whose turn it is; how they learn is theirs. A Method belongs to one
// goroutine.
package guided

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/imitate"
	"github.com/mitori-robotics/mitori/policy/train/ppo"
)

// Name is what commands, bundles and checkpoints call the method.
const Name = "guided"

// Config is what the result depends on besides the course and the expert.
type Config struct {
	ImitateSteps int64 // control steps of imitation; the iteration that reaches them is the last of its kind
	Imitate      imitate.Config
	PPO          ppo.Config
}

// Defaults is the setting for 128 worlds that docs/training.md reports on. What imitation leaves undone needs wide
// exploration to go beyond what the expert knows.
func Defaults() (train.Course, Config) {
	course := train.DefaultCourse()
	course.LevelStart, course.EvalEvery, course.MinSteps = 0.3, 10, 80_000
	_, imitation := imitate.Defaults()
	_, trial := ppo.Defaults()
	trial.Std, trial.CriticFirst = [2]float64{0.35, 0.2}, 20_480
	return course, Config{ImitateSteps: 61_440, Imitate: imitation, PPO: trial}
}

// Method is a train.Method.
type Method struct {
	course   train.Course
	config   Config
	practice *train.Practice
	imitate  *imitate.Method
	ppo      *ppo.Method
}

// New prepares imitation of an expert and PPO after it.
func New(course train.Course, config Config, expert imitate.Expert) *Method {
	return &Method{course: course, config: config, imitate: imitate.New(course, config.Imitate, expert), ppo: ppo.New(course, config.PPO)}
}

// Plan names the method and what its results depend on.
func (m *Method) Plan() train.Plan {
	return train.Plan{Name: Name, Course: m.course, Settings: m.config}
}

// Start starts both.
func (m *Method) Start(p *train.Practice) error {
	m.practice = p
	return errors.Join(m.ppo.Start(p), m.imitate.Start(p))
}

// imitating says whether the next iteration belongs to the expert.
func (m *Method) imitating() bool { return m.practice.Steps() < m.config.ImitateSteps }

// Iterate lets the one learn whose turn it is.
func (m *Method) Iterate() (train.Learnt, error) {
	if !m.imitating() {
		return m.ppo.Iterate()
	}
	l, err := m.imitate.Iterate()
	if m.practice.Steps()+int64(m.practice.Samples()) >= m.config.ImitateSteps {
		m.practice.Policy.Forget() // Adam's moments are those of another loss
	}
	return l, err
}

// state is the method's part of a checkpoint. Imitation's is large, and left out when its time is over.
type state struct{ Imitate, PPO []byte }

// SaveState writes the state of what is still to come.
func (m *Method) SaveState(w io.Writer) error {
	var s state
	var b bytes.Buffer
	if err := m.ppo.SaveState(&b); err != nil {
		return err
	}
	s.PPO = b.Bytes()
	if m.imitating() {
		var b bytes.Buffer
		if err := m.imitate.SaveState(&b); err != nil {
			return err
		}
		s.Imitate = b.Bytes()
	}
	return gob.NewEncoder(w).Encode(s)
}

// LoadState restores it.
func (m *Method) LoadState(r io.Reader) error {
	var s state
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("guided: state: %w", err)
	}
	if m.imitating() != (len(s.Imitate) > 0) {
		return fmt.Errorf("guided: state: %d bytes of imitation after %d of %d control steps of it", len(s.Imitate), m.practice.Steps(), m.config.ImitateSteps)
	}
	if m.imitating() {
		if err := m.imitate.LoadState(bytes.NewReader(s.Imitate)); err != nil {
			return err
		}
	}
	return m.ppo.LoadState(bytes.NewReader(s.PPO))
}
