package servotool_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/servotool"
)

// line is a bus whose one device answers at one rate, or badly there.
type line struct {
	servotool.Bus
	err error
}

func (l line) Ping(id uint8) (servotool.Device, error) { return servotool.Device{ID: id}, l.err }

func TestWhyMissing(t *testing.T) {
	rates := []int{57600, 1000000}
	for _, tt := range []struct {
		name    string
		answers int
		err     error
		word    string
	}{
		{"at the factory's rate", 57600, nil, "id 9 answers at 57600 bits/s, and the bus runs at 3000000"},
		{"two of them", 3000000, servotool.ErrDamaged, "two devices share id 9"},
		{"it does answer", 3000000, nil, ""},
		{"nowhere", 0, nil, "check its power"},
		{"noise elsewhere is nothing", 1000000, servotool.ErrDamaged, "check its power"},
	} {
		opened, closed := 0, 0
		got := servotool.WhyMissing(func(baud int) (servotool.Bus, io.Closer, error) {
			opened++
			err := servotool.ErrSilent
			if baud == tt.answers {
				err = tt.err
			}
			return line{err: err}, closer{&closed}, nil
		}, 3000000, rates, 9)
		if (tt.word == "") != (got == "") || !strings.Contains(got, tt.word) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.word)
		}
		if opened != closed {
			t.Errorf("%s: opened %d ports, closed %d", tt.name, opened, closed)
		}
	}
	if got := servotool.WhyMissing(func(int) (servotool.Bus, io.Closer, error) { return nil, nil, errors.New("gone") }, 1, rates, 9); got != "" {
		t.Errorf("without a port: %q", got)
	}
}

type closer struct{ n *int }

func (c closer) Close() error { *c.n++; return nil }
