package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/infile"
)

// A checkpoint file is a line of text, the SHA-256 of the rest, and the rest: a gob of snapshot.
const checkpointMagic = "mitori checkpoint 1\n"

// maxCheckpointBytes bounds what Resume reads: some ten times a real one.
const maxCheckpointBytes = 256 << 20

// ErrCheckpoint is wrapped when a checkpoint cannot be used.
var ErrCheckpoint = errors.New("unusable checkpoint")

// snapshot is the complete state of a training between two iterations.
type snapshot struct {
	Identity               string
	Used                   Used
	Iteration              int
	Level, ActorRate       float64
	GoodInARow             int
	Actor, Critic          netState
	ActorNorm, CriticNorm  normalizer
	Noise, Starts, Shuffle []byte
	Fails                  []float64
	Average                []float32
	Best                   *candidate
	Curve                  []Point
	Worlds                 []byte
	Imitation              *imitationState // nil in PPO
}

type netState struct {
	W, M, V []float32
	Steps   int64
}

func (n *net) state() netState { return netState{W: n.w, M: n.m, V: n.v, Steps: n.steps} }

func (n *net) setState(s netState) error {
	if len(s.W) != len(n.w) || len(s.M) != len(n.w) || len(s.V) != len(n.w) {
		return fmt.Errorf("train: %w: %d weights, this network has %d", ErrCheckpoint, len(s.W), len(n.w))
	}
	copy(n.w, s.W) // in place: the graphs hold these very slices
	copy(n.m, s.M)
	copy(n.v, s.V)
	n.steps = s.Steps
	return nil
}

// save writes a checkpoint, complete or not at all; nothing if name is empty.
func (t *Trainer) save(name string) error {
	if name == "" {
		return nil
	}
	s := snapshot{Identity: t.identity, Used: t.used, Iteration: t.iteration, Level: t.level, ActorRate: t.actorRate, GoodInARow: t.goodInARow,
		Actor: t.actor.state(), ActorNorm: *t.actorNorm, CriticNorm: *t.criticNorm,
		Fails: t.sampler.Fails, Average: t.average, Best: t.best, Curve: t.curve}
	if t.imitating() {
		s.Imitation = t.imitation.state()
	}
	if t.critic != nil {
		s.Critic = t.critic.state()
	}
	var worlds bytes.Buffer
	if err := t.runner.SaveState(&worlds); err != nil {
		return err
	}
	s.Worlds = worlds.Bytes()
	var err error
	for _, g := range t.streams(&s) {
		if *g.bytes, err = g.pcg.MarshalBinary(); err != nil {
			return fmt.Errorf("train: checkpoint: %w", err)
		}
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(&s); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return atomicfile.Write(name, func(w io.Writer) error {
		for _, part := range [][]byte{[]byte(checkpointMagic), sum[:], body.Bytes()} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}

// Resume brings a trainer made by New with the same arguments to the state of a checkpoint.
func (t *Trainer) Resume(name string) error {
	data, err := infile.Read(name, maxCheckpointBytes)
	if err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	rest, ok := bytes.CutPrefix(data, []byte(checkpointMagic))
	if !ok || len(rest) < sha256.Size {
		return fmt.Errorf("train: %s: %w: it does not begin with %q", name, ErrCheckpoint, checkpointMagic)
	}
	body := rest[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return fmt.Errorf("train: %s: %w: its content does not have the checksum it was written with", name, ErrCheckpoint)
	}
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&s); err != nil {
		return fmt.Errorf("train: %s: %w: %w", name, ErrCheckpoint, err)
	}
	if s.Identity != t.identity {
		return fmt.Errorf("train: %s: %w: it belongs to another motion, robot, seed or configuration; resume with the same ones, or start anew without --resume", name, ErrCheckpoint)
	}
	if len(s.Fails) != len(t.sampler.Fails) || len(s.Average) != len(t.average) || len(s.ActorNorm.Mean) != len(t.actorNorm.Mean) || len(s.CriticNorm.Mean) != len(t.criticNorm.Mean) {
		return fmt.Errorf("train: %s: %w: its parts have other sizes", name, ErrCheckpoint)
	}
	if err := t.actor.setState(s.Actor); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if t.critic != nil {
		if err := t.critic.setState(s.Critic); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, g := range t.streams(&s) {
		if err := g.pcg.UnmarshalBinary(*g.bytes); err != nil {
			return fmt.Errorf("train: %s: %w: %w", name, ErrCheckpoint, err)
		}
	}
	*t.actorNorm, *t.criticNorm = s.ActorNorm, s.CriticNorm
	copy(t.sampler.Fails, s.Fails)
	copy(t.average, s.Average)
	t.used, t.iteration, t.level, t.actorRate, t.goodInARow, t.best, t.curve = s.Used, s.Iteration, s.Level, s.ActorRate, s.GoodInARow, s.Best, s.Curve
	if t.imitating() {
		if err := t.imitation.setState(s.Imitation); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := t.runner.LoadState(bytes.NewReader(s.Worlds)); err != nil {
		return fmt.Errorf("train: %s: %w: %w", name, ErrCheckpoint, err)
	}
	t.begun = true
	return nil
}

type stream struct {
	pcg   *rand.PCG
	bytes *[]byte
}

func (t *Trainer) streams(s *snapshot) []stream {
	return []stream{{t.noise, &s.Noise}, {t.starts, &s.Starts}, {t.shuffle, &s.Shuffle}}
}
