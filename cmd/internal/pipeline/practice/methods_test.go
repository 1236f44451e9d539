package practice

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/policy/rollout"
	"github.com/mitori-robotics/mitori/policy/train/imitate"
	"github.com/mitori-robotics/mitori/policy/train/ppo"
)

// silent is an expert that has nothing to say.
type silent struct{}

func (silent) Label(dst []float32, _ *rollout.Runner) error { clear(dst); return nil }

func TestEveryMethodBearsItsName(t *testing.T) {
	if !slices.Contains(Methods(), DefaultMethod) || len(Methods()) < 3 {
		t.Errorf("methods are %v, the default is %s", Methods(), DefaultMethod)
	}
	for name, make := range methodTable {
		m, err := make(func() (imitate.Expert, error) { return silent{}, nil })
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Plan().Name; got != name {
			t.Errorf("--method %s learns by %s", name, got)
		}
		if err := CheckMethod(name); err != nil {
			t.Error(err)
		}
	}
	if err := CheckMethod("luck"); err == nil || !strings.Contains(err.Error(), "bc, guided, ppo") {
		t.Errorf("an unknown method: %v", err)
	}
}

func TestWhereNoTeacherIsFoundOnlyImitationFails(t *testing.T) {
	none := errors.New("no regulator holds this")
	hire := func() (imitate.Expert, error) { return nil, none }
	if _, err := methodTable["bc"](hire); !errors.Is(err, none) {
		t.Errorf("bc: %v", err)
	}
	for _, name := range []string{"guided", "ppo"} {
		if m, err := methodTable[name](hire); err != nil || m.Plan().Name != ppo.Name {
			t.Errorf("%s: %v, want plain PPO", name, err)
		}
	}
}
