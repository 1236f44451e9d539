package practice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/policy/train"
	"github.com/mitori-robotics/mitori/policy/train/guided"
	"github.com/mitori-robotics/mitori/policy/train/imitate"
	"github.com/mitori-robotics/mitori/policy/train/ppo"
)

// hireTeacher computes an expert along the motion at hand; it takes seconds.
type hireTeacher func() (imitate.Expert, error)

// methodTable holds the ways to learn, by the name of --method. A new one is a
// package that implements train.Method, and a line here.
var methodTable = map[string]func(hireTeacher) (train.Method, error){
	ppo.Name:     newPPO,
	imitate.Name: newImitation,
	guided.Name:  newGuided,
}

// DefaultMethod is what is taken where no other is named.
const DefaultMethod = ppo.Name

func newPPO(hireTeacher) (train.Method, error) { return ppo.New(ppo.Defaults()), nil }

func newImitation(hire hireTeacher) (train.Method, error) {
	teacher, err := hire()
	if err != nil {
		return nil, err
	}
	course, config := imitate.Defaults()
	return imitate.New(course, config, teacher), nil
}

// newGuided falls back to PPO: a motion that no regulator can hold may still be
// learnt by trial.
func newGuided(hire hireTeacher) (train.Method, error) {
	teacher, err := hire()
	if err != nil {
		return newPPO(nil)
	}
	course, config := guided.Defaults()
	return guided.New(course, config, teacher), nil
}

// Methods lists the ways to learn.
func Methods() []string { return slices.Sorted(maps.Keys(methodTable)) }

// CheckMethod refuses a method of another name.
func CheckMethod(m string) error {
	if _, ok := methodTable[m]; !ok {
		return fmt.Errorf("%q is unknown; legal: %s", m, strings.Join(Methods(), ", "))
	}
	return nil
}
