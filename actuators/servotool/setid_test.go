package servotool_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/servotool"
)

// quiet is a bus with one servo that does not answer what is written; it takes the
// change or not.
type quiet struct {
	servotool.Bus
	id     uint8
	takes  bool
	vanish bool
}

func (q *quiet) Ping(id uint8) (servotool.Device, error) {
	if id != q.id {
		return servotool.Device{}, servotool.ErrSilent
	}
	return servotool.Device{ID: id}, nil
}
func (q *quiet) TorqueOn(uint8) (bool, error) { return false, nil }
func (q *quiet) SetID(_, to uint8) error {
	if q.takes {
		q.id = to
	}
	if q.vanish {
		q.id = 254
	}
	return servotool.ErrSilent
}

// After silence the tool says what is true, not what was answered.
func TestSetIDSaysWhatIsTrue(t *testing.T) {
	if err := servotool.SetID(&quiet{id: 5, takes: true}, 5, 55); err != nil {
		t.Errorf("changed, and it says %v", err)
	}
	err := servotool.SetID(&quiet{id: 5}, 5, 55)
	if err == nil || !strings.Contains(err.Error(), "still has id 5") {
		t.Errorf("not changed: %v", err)
	}
	err = servotool.SetID(&quiet{id: 5, vanish: true}, 5, 55)
	if !errors.Is(err, servotool.ErrSilent) || !strings.Contains(err.Error(), "neither id 5 nor id 55") {
		t.Errorf("gone: %v", err)
	}
}
