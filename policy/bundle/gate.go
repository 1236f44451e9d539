package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Gate is the share of hard episodes that a policy must have survived before a
// robot runs it without being told to.
const Gate = 0.95

// ErrPoor is wrapped when a whole bundle holds a policy that did not reach Gate,
// or that nobody has evaluated.
var ErrPoor = errors.New("policy has not passed its evaluation")

// CheckGate reports whether the bundle's own evaluation reached Gate. It trusts
// eval.json as far as its digest in the manifest goes.
func (b *Bundle) CheckGate() error {
	if b.Eval == nil {
		return fmt.Errorf("%w: the bundle holds no %s", ErrPoor, evalFile)
	}
	var e struct {
		Episodes int      `json:"episodes"`
		Survival *float64 `json:"survival_rate"`
	}
	if err := json.Unmarshal(b.Eval, &e); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPoor, evalFile, err)
	}
	switch {
	case e.Survival == nil || e.Episodes < 1:
		return fmt.Errorf("%w: %s names no episodes or no survival_rate", ErrPoor, evalFile)
	case !(*e.Survival >= Gate && *e.Survival <= 1):
		return fmt.Errorf("%w: it survived %.1f %% of %d hard episodes; legal: %.0f %% or more", ErrPoor, 100**e.Survival, e.Episodes, 100*Gate)
	}
	return nil
}
