package robot

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
)

// swap asks the loop's process to exchange its policy.
type swap struct {
	Policy string // file
	Hash   string // that the gateway has seen
}

// swapped answers a swap.
type swapped struct{ Fault string }

// swapTime is how long the loop has to take an exchanged policy over: it stands already.
const swapTime = 2 * time.Second

// exchange is the gateway's part of the command "policy": name is a bundle in the folder
// of the one that was configured. It is read and judged here, then by the loop's process,
// which hands it over while the robot stands. Reply is called from another goroutine.
func (r *run) exchange(name string, reply func(did string, refused error)) {
	r.failed.Start("an exchange of policies", func() {
		if !r.swapping.TryLock() {
			reply("", errors.New("another policy is being exchanged"))
			return
		}
		defer r.swapping.Unlock()
		hash, err := r.exchangeNow(name)
		if err != nil {
			reply("", err)
			return
		}
		r.tell.Event("policy %s takes over, sha256 %.12s", name, hash)
		reply(fmt.Sprintf("policy %s takes over, sha256 %.12s", name, hash), nil)
	})
}

func (r *run) exchangeNow(name string) (hash string, err error) {
	switch {
	case r.pol == nil:
		return "", errors.New("this robot flies without a policy; start robotd with one")
	case name == "" || filepath.Base(name) != name || name == "." || name == "..":
		return "", fmt.Errorf("arg is %q; legal: the name of a bundle beside the policy that robotd was started with", name)
	case r.state() != mode.Hold.String():
		return "", fmt.Errorf("in %s; policies are exchanged in %s", r.state(), mode.Hold)
	}
	file := filepath.Join(filepath.Dir(r.o.Policy), name)
	p, err := loadPolicy(file, r.desc, r.o.Anyway)
	if err != nil {
		return "", err
	}
	side := r.side.Load()
	if err := side.proc.Line().Send(swap{Policy: file, Hash: p.hash}); err != nil {
		return "", fmt.Errorf("the loop's process was not told: %w", err)
	}
	select {
	case got := <-side.swapped:
		if got.Fault != "" {
			return "", errors.New(got.Fault)
		}
		return p.hash, nil
	case <-side.gone:
		return "", errors.New("the loop's process has ended")
	case <-r.ord.Context().Done():
		return "", errors.New("robotd is ending")
	}
}

// state is the operating state that was told last.
func (r *run) state() string {
	if w := r.watch.Load(); w != nil {
		return w.Latest().State
	}
	return ""
}

// swaps is the loop process's part: it takes orders for exchanges until the gateway hangs
// up or is gone.
func (h *other) swaps() {
	for {
		var s swap
		if h.line.Receive(&s) != nil {
			return
		}
		var answer swapped
		if err := h.swap(s); err != nil {
			answer.Fault = err.Error()
		}
		_ = h.line.Send(report{Swapped: &answer})
	}
}

// swap loads a policy, outside the loop's thread, and waits until the loop has it.
func (h *other) swap(s swap) error {
	x, desc := h.players.Load(), h.desc.Load()
	if x == nil || desc == nil {
		return errors.New("there is no policy to exchange")
	}
	p, err := loadPolicy(s.Policy, desc, h.task.Options.Anyway)
	if err != nil {
		return err
	}
	if p.hash != s.Hash {
		return fmt.Errorf("%s was changed meanwhile", s.Policy)
	}
	before := x.Taken()
	if err := x.Offer(p.Player); err != nil {
		return fmt.Errorf("%s: %w", s.Policy, err)
	}
	for end := time.Now().Add(swapTime); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if x.Taken() != before {
			return nil
		}
	}
	if x.Withdraw() {
		return fmt.Errorf("the robot did not stand for %v", swapTime)
	}
	return nil // in the last moment
}
