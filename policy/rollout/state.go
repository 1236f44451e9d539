package rollout

import (
	"encoding/binary"
	"fmt"
	"io"
)

// SaveState writes everything that later steps depend on, the Env's state included. Randomness of future episodes is
// the caller's: it lies in the seeds.
func (r *Runner) SaveState(out io.Writer) error {
	if err := r.env.SaveState(out); err != nil {
		return err
	}
	state := make([]float64, 0, len(r.rows))
	for i := range r.worlds {
		w := &r.worlds[i]
		state = append(state, float64(w.clip), float64(w.player.Step()))
		at := len(state)
		state = append(state, make([]float64, w.player.StateLen())...)
		w.player.State(state[at:])
	}
	for _, part := range []any{r.rows, r.obs, r.critic, state} {
		if err := binary.Write(out, binary.LittleEndian, part); err != nil {
			return fmt.Errorf("rollout: save state: %w", err)
		}
	}
	return nil
}

// LoadState restores what SaveState wrote, into a Runner made with the same arguments.
func (r *Runner) LoadState(in io.Reader) error {
	if err := r.env.LoadState(in); err != nil {
		return err
	}
	per := 2 + r.worlds[0].player.StateLen()
	state := make([]float64, per*len(r.worlds))
	for _, part := range []any{r.rows, r.obs, r.critic, state} {
		if err := binary.Read(in, binary.LittleEndian, part); err != nil {
			return fmt.Errorf("rollout: load state: %w", err)
		}
	}
	for i := range r.worlds {
		w, s := &r.worlds[i], state[i*per:(i+1)*per]
		clip, step := int(s[0]), int(s[1])
		if clip < 0 || clip >= len(r.task.Refs) || step < 0 {
			return fmt.Errorf("rollout: load state: world %d is in reference %d, step %d; there are %d references",
				i, clip, step, len(r.task.Refs))
		}
		w.clip = clip
		w.player.GoTo(r.task.Refs[clip], step)
		w.player.SetState(s[2:])
	}
	return nil
}
