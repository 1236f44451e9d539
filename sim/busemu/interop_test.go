package busemu

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// TestVendorSDK lets ROBOTIS' own Python SDK (PyPI: dynamixel-sdk) drive the emulated
// bus over a pseudo-terminal: an independent judge of every packet both ways. "make deps"
// installs it into .deps/python.
func TestVendorSDK(t *testing.T) {
	deps, err := filepath.Abs("../../.deps/python")
	must(t, err)
	python := func(args ...string) *exec.Cmd {
		c := exec.Command("python3", args...)
		c.Env = append(os.Environ(), "PYTHONPATH="+deps)
		return c
	}
	if err := python("-c", "import dynamixel_sdk").Run(); err != nil {
		t.Skipf("python3 has no dynamixel_sdk (\"make deps\" installs it): %v", err)
	}
	plant := NewIdeal(motors(20), 2e6)
	c := LineConfig{HubID: dxl.HubID, HubBaud: 3}
	for i := range 20 {
		c.Servos = append(c.Servos, ServoConfig{ID: dxl.ID(i + 1), Joint: i, Sign: 1, Baud: 3, Type: xm430()})
	}
	world, err := NewWorld(plant, c)
	must(t, err)
	s, err := NewServer(world, ServerConfig{Baud: 1_000_000, CheckRate: true})
	if err != nil {
		t.Skip(err)
	}
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		must(t, <-ended)
	})
	<-s.Serving()
	out, err := python("testdata/sdk_peer.py", s.Path(0), "1000000").Output()
	if err != nil {
		if ee, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%v\n%s", err, ee.Stderr)
		}
		t.Fatal(err)
	}
	var got map[string]any
	must(t, json.Unmarshal(out, &got))
	// JSON numbers are float64.
	f := func(v ...float64) []any {
		var a []any
		for _, x := range v {
			a = append(a, x)
		}
		return a
	}
	var found, goals, sync []any
	for i := 1; i <= 20; i++ {
		found = append(found, float64(i))
		goals = append(goals, float64(2000+i))
		sync = append(sync, f(0, 0, 2048))
	}
	want := map[string]any{
		"model": 1020.0, "found": append(found, 200.0), "goal": 2100.0,
		"limit_error": 6.0, "access_error": 7.0,
		"stuffed": f(0xFF, 0xFF, 0xFD, 0xFD, 0xFF, 0xFF, 0xFD, 0), "fast_goals": goals,
		"bulk": f(120, 25), "fast_bulk": f(120, 25), "bulk_written": f(1, 9),
		"action": f(0, 1), "nobody": -3001.0, // COMM_RX_TIMEOUT
	}
	for k, w := range want {
		if !reflect.DeepEqual(got[k], w) {
			t.Errorf("%s: the SDK saw %v, want %v", k, got[k], w)
		}
	}
	// Servo 1 has torque and may be moving; the others stand at the centre.
	if s, ok := got["sync"].([]any); !ok || len(s) != 20 || !reflect.DeepEqual(s[1:], sync[1:]) {
		t.Errorf("sync read: the SDK saw %v", got["sync"])
	}
}
