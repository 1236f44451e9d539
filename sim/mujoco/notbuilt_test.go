//go:build !(mujoco && cgo)

package mujoco

import (
	"errors"
	"strings"
	"testing"
)

// Without physics every constructor says so and names the build tag.
func TestNotBuilt(t *testing.T) {
	_, load := Load("x", []byte("<mujoco/>"), nil)
	_, lean := LoadPhysics("x", []byte("<mujoco/>"), nil)
	_, data := NewData(&Model{})
	_, batch := NewBatch(&Model{}, BatchConfig{Worlds: 1})
	_, period := (&Batch{}).NewPeriod(1, nil, nil)
	for name, err := range map[string]error{"Load": load, "LoadPhysics": lean, "NewData": data, "NewBatch": batch, "NewPeriod": period} {
		if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "-tags mujoco") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
