package worlds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// header names what a saved state belongs to; every part must be equal on load.
type header struct {
	Magic                            [16]byte
	Robot                            [64]byte // Description.Hash
	Worlds, Joints, SubSteps, NState int64
}

func (e *Env) header() header {
	h := header{Worlds: int64(len(e.worlds)), Joints: int64(e.layout.Joints), SubSteps: int64(e.sub), NState: int64(e.batch.NState)}
	copy(h.Magic[:], "mitori worlds 1\n")
	if e.elliptic {
		copy(h.Magic[:], "mitori worlds 1e")
	}
	copy(h.Robot[:], e.scene.Body.Desc.Hash)
	return h
}

// parts lists the numbers that make up the state, in file order.
func (e *Env) parts() [][]float64 {
	p := [][]float64{e.batch.State, e.zero, e.targets, e.sensed}
	for i := range e.fields {
		p = append(p, e.fields[i].all)
	}
	return p
}

// SaveState implements rollout.Env.
func (e *Env) SaveState(w io.Writer) error {
	var b bytes.Buffer
	for _, v := range []any{e.header(), e.worlds} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			return fmt.Errorf("worlds: %w", err)
		}
	}
	for _, p := range e.parts() {
		if err := binary.Write(&b, binary.LittleEndian, p); err != nil {
			return fmt.Errorf("worlds: %w", err)
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("worlds: save state: %w", err)
	}
	return nil
}

// LoadState implements rollout.Env. On an error nothing has changed.
func (e *Env) LoadState(r io.Reader) error {
	var h header
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return fmt.Errorf("worlds: saved state: %w", err)
	}
	if want := e.header(); h != want {
		return fmt.Errorf("worlds: saved state is of %d worlds, %d joints, %d engine steps, robot %.8s; legal: %d, %d, %d, %.8s",
			h.Worlds, h.Joints, h.SubSteps, h.Robot[:], want.Worlds, want.Joints, want.SubSteps, want.Robot[:])
	}
	worlds := make([]world, len(e.worlds))
	if err := binary.Read(r, binary.LittleEndian, worlds); err != nil {
		return fmt.Errorf("worlds: saved state is cut short: %w", err)
	}
	for w := range worlds {
		if err := e.plausible(&worlds[w]); err != nil {
			return fmt.Errorf("worlds: saved state of world %d: %w", w, err)
		}
	}
	parts := e.parts()
	read := make([][]float64, len(parts))
	for i, p := range parts {
		read[i] = make([]float64, len(p))
		if err := binary.Read(r, binary.LittleEndian, read[i]); err != nil {
			return fmt.Errorf("worlds: saved state is cut short: %w", err)
		}
	}
	for i := range read {
		for _, v := range read[i] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return errors.New("worlds: saved state holds a number that is not finite")
			}
		}
	}
	state := read[0]
	copy(e.worlds, worlds)
	for i, p := range parts[1:] {
		copy(p, read[i+1])
	}
	// Derived constants follow from the fields; the engine may use the states as scratch.
	if err := e.batch.SetConst(nil); err != nil {
		return fmt.Errorf("worlds: %w", err)
	}
	copy(e.batch.State, state)
	for w := range e.worlds {
		copy(e.period.SpeedRadPerS[2*w:], e.worlds[w].SpeedRadPerS[:])
		e.batch.ClearWarnings(w)
	}
	return nil
}

// plausible refuses a world that no episode can be in; the delays index rings.
func (e *Env) plausible(w *world) error {
	most := int64(math.Ceil(MaxDelayS / e.layout.PeriodS * float64(e.sub)))
	switch {
	case w.Step < 0 || w.Step > 1<<48:
		return fmt.Errorf("step %d; legal: 0 to 2^48", w.Step)
	case w.DelaySub < 0 || w.DelaySub > most:
		return fmt.Errorf("delay of %d engine steps; legal: 0 to %d", w.DelaySub, most)
	case !(w.SensorDelayS >= 0 && w.SensorDelayS <= MaxDelayS):
		return fmt.Errorf("sensor delay of %g s; legal: 0 to %g", w.SensorDelayS, MaxDelayS)
	case math.IsNaN(w.NextPushS):
		return errors.New("time of the next push is not a number")
	}
	return check(w.Ranges)
}
