package buses

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/mitori-robotics/mitori/actuators/servotool"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Protocols lists the names that Look takes.
func Protocols() []string { return sortedNames(protocols()) }

// Look returns how to open a device at a bit rate to look at its servos, and the rates
// to try, likeliest first. note hears what could not be set.
func Look(protocol, device string, note func(string)) (open servotool.Opener, rates []int, err error) {
	p, ok := protocols()[protocol]
	if !ok {
		return nil, nil, fmt.Errorf("protocol %q; legal: %v", protocol, Protocols())
	}
	return func(baud int) (servotool.Bus, io.Closer, error) {
		port, err := serialport.Open(device, baud)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range port.Notes() {
			note(n)
		}
		return p.look(port, baud), port, nil
	}, slices.Clone(p.rates), nil
}
