package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train/network"
)

// A checkpoint file is a line of text that ends in the version, the SHA-256 of the rest, and the rest: a gob of
// envelope. Version 1 knew three methods and had fields for each; version 2 had other names for some of envelope's fields.
const (
	checkpointMagic   = "mitori checkpoint "
	checkpointVersion = "3"
)

// maxCheckpointBytes bounds what Resume reads: some ten times a real one.
const maxCheckpointBytes = 256 << 20

// ErrCheckpoint is wrapped when a checkpoint cannot be used. Where the reason is one of the two others, both are.
var (
	ErrCheckpoint        = errors.New("unusable checkpoint")
	ErrCheckpointVersion = errors.New("another version of the checkpoint format")
	ErrCheckpointMethod  = errors.New("checkpoint of another method")
)

// envelope is the complete state of a training between two iterations: what all methods share, and the method's own.
type envelope struct {
	Method   string
	Identity string
	State    []byte // as Method.SaveState wrote it

	Used                   Used
	Iteration, GoodInARow  int
	Level                  float64
	Policy                 network.State
	Norm                   network.Normalizer
	Noise, Starts, Shuffle []byte // random streams
	Fails                  []float64
	Average                []float32
	Best                   *candidate
	Curve                  []Point
	Worlds                 []byte
}

// fingerprint identifies what a checkpoint belongs to: the plan, the seed, the task and the number of worlds.
func fingerprint(plan Plan, seed uint64, task rollout.Task, worlds int) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	parts := []any{plan, seed, task.Spec, task.HoldSteps, task.Reward, task.Limits, worlds}
	for _, r := range task.Refs {
		parts = append(parts, r.Frames)
	}
	for _, part := range parts {
		if err := enc.Encode(part); err != nil {
			return "", fmt.Errorf("train: fingerprint: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// save writes a checkpoint, complete or not at all; nothing if name is empty.
func (t *Trainer) save(name string) error {
	if name == "" {
		return nil
	}
	e, err := t.envelope()
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(e); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return atomicfile.Write(name, func(w io.Writer) error {
		for _, part := range [][]byte{[]byte(checkpointMagic + checkpointVersion + "\n"), sum[:], body.Bytes()} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *Trainer) envelope() (*envelope, error) {
	p := t.practice
	e := &envelope{Method: t.plan.Name, Identity: t.identity, Used: t.used, Iteration: t.iteration, GoodInARow: t.goodInARow,
		Level: p.level, Policy: p.Policy.State(), Norm: *p.Norm, Fails: p.sampler.Fails, Average: t.average, Best: t.best, Curve: t.curve}
	var state, worlds bytes.Buffer
	if err := t.method.SaveState(&state); err != nil {
		return nil, err
	}
	if err := p.Runner.SaveState(&worlds); err != nil {
		return nil, err
	}
	e.State, e.Worlds = state.Bytes(), worlds.Bytes()
	var err error
	for _, s := range p.streams(e) {
		if *s.bytes, err = s.pcg.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Resume brings a trainer made by New with the same arguments to the state of a checkpoint. After an error it is of
// no more use.
func (t *Trainer) Resume(name string) error {
	data, err := infile.Read(name, maxCheckpointBytes)
	if err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	if err := t.resume(data); err != nil {
		return fmt.Errorf("train: %s: %w: %w", name, ErrCheckpoint, err)
	}
	return nil
}

func (t *Trainer) resume(data []byte) error {
	e, err := open(data)
	if err != nil {
		return err
	}
	if e.Method != t.plan.Name {
		return fmt.Errorf("%w: it was learnt by %q, and this training is to go on by %q; resume with --method %s, or start anew without --resume",
			ErrCheckpointMethod, e.Method, t.plan.Name, e.Method)
	}
	if e.Identity != t.identity {
		return errors.New("it belongs to another motion, robot, seed or configuration; resume with the same ones, or start anew without --resume")
	}
	return t.restore(e)
}

// open checks what surrounds an envelope, and decodes it.
func open(data []byte) (*envelope, error) {
	rest, ok := bytes.CutPrefix(data, []byte(checkpointMagic))
	version, rest, line := bytes.Cut(rest, []byte("\n"))
	if !ok || !line || len(version) > 20 {
		return nil, fmt.Errorf("it does not begin with %q and a version", checkpointMagic)
	}
	if string(version) != checkpointVersion {
		return nil, fmt.Errorf("%w: it is of version %q, and this mitori reads %s; finish it with the mitori that began it, or start anew without --resume",
			ErrCheckpointVersion, version, checkpointVersion)
	}
	if len(rest) < sha256.Size {
		return nil, errors.New("it ends early")
	}
	body := rest[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return nil, errors.New("its content does not have the checksum it was written with")
	}
	e := new(envelope)
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(e); err != nil {
		return nil, err
	}
	return e, nil
}

// restore takes over an envelope that belongs to this training.
func (t *Trainer) restore(e *envelope) error {
	p := t.practice
	if len(e.Fails) != len(p.sampler.Fails) || len(e.Average) != len(t.average) || e.Best != nil && len(e.Best.W) != len(t.average) {
		return errors.New("its parts have other sizes")
	}
	if err := p.Policy.SetState(e.Policy); err != nil {
		return err
	}
	if err := p.Norm.SetState(e.Norm); err != nil {
		return err
	}
	for _, s := range p.streams(e) {
		if err := s.pcg.UnmarshalBinary(*s.bytes); err != nil {
			return err
		}
	}
	copy(p.sampler.Fails, e.Fails)
	copy(t.average, e.Average)
	p.level, p.steps = e.Level, e.Used.Steps
	t.used, t.iteration, t.goodInARow, t.best, t.curve = e.Used, e.Iteration, e.GoodInARow, e.Best, e.Curve
	if err := p.Runner.LoadState(bytes.NewReader(e.Worlds)); err != nil {
		return err
	}
	if err := t.method.LoadState(bytes.NewReader(e.State)); err != nil {
		return fmt.Errorf("%s: %w", t.plan.Name, err)
	}
	return nil
}

type stream struct {
	pcg   *rand.PCG
	bytes *[]byte
}

func (p *Practice) streams(e *envelope) []stream {
	return []stream{{p.noise, &e.Noise}, {p.starts, &e.Starts}, {p.shuffle, &e.Shuffle}}
}
