package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/sim/busemu"
)

// end is the last line that mitori bus emulate prints.
func (e *emulation) end() (v record.Verdict) {
	st := e.server.Stats()
	e.server.With(func(w *busemu.World) {
		v = e.observer.Verdict()
		v.TorqueOn = w.TorqueOn()
	})
	v.Packets, v.LostS = st.Packets, st.Lost.Seconds()
	return v
}

func (e *emulation) print() error { return e.say(e.end()) }

// say prints one line of JSON.
func (e *emulation) say(v any) error {
	e.outMu.Lock()
	defer e.outMu.Unlock()
	return e.out.Encode(v)
}

// finish writes the verdict and the record.
func (e *emulation) finish() error {
	end := e.end()
	var errs []error
	if e.trace != nil {
		errs = append(errs, e.trace.save(e.flags.Record))
	}
	if e.flags.Truth != "" {
		errs = append(errs, atomicfile.Write(e.flags.Truth, func(w io.Writer) error {
			return json.NewEncoder(w).Encode(end)
		}))
	}
	// Whoever reads the verdict may be gone: that is no failure of the emulation.
	_ = e.say(end)
	return errors.Join(errs...)
}

// truthTrace records what the robot really did.
type truthTrace struct {
	robot                    *robot.Description
	time, qpos, height, tilt []float64
	held, torque             []float64
	nq                       int
}

func newTruthTrace(d *robot.Description) *truthTrace { return &truthTrace{robot: d} }

func (r *truthTrace) add(t *busemu.Truth, held bool, torqueOn int) {
	r.nq = len(t.QPos)
	r.time = append(r.time, t.SimS)
	r.qpos = append(r.qpos, t.QPos...)
	r.height = append(r.height, t.TrunkHeightM)
	r.tilt = append(r.tilt, t.TiltRad)
	h := 0.0
	if held {
		h = 1
	}
	r.held = append(r.held, h)
	r.torque = append(r.torque, float64(torqueOn))
}

// save writes the record: time_s (T), qpos (T,nq) in the engine's order, height_m (T),
// tilt_rad (T), held (T), torque_on (T), and the robot's name and hash.
func (r *truthTrace) save(name string) error {
	n := len(r.time)
	return npz.Save(name, npz.Archive{
		"time_s": npz.Floats(r.time, n), "qpos": npz.Floats(r.qpos, n, r.nq),
		"height_m": npz.Floats(r.height, n), "tilt_rad": npz.Floats(r.tilt, n),
		"held": npz.Floats(r.held, n), "torque_on": npz.Floats(r.torque, n),
		"robot": npz.String(r.robot.Name), "robot_hash": npz.String(r.robot.Hash),
	})
}

// linkPorts makes a symbolic link to the port of each bus and returns how to remove them:
// name itself where there is one bus, else name-BUS.
func linkPorts(name string, buses []robot.Bus, ports map[string]string) (remove func(), err error) {
	var done []func()
	remove = func() {
		for _, f := range done {
			f()
		}
	}
	for _, b := range buses {
		at := name
		if len(buses) > 1 {
			at += "-" + b.Name
		}
		f, err := linkPort(at, ports[b.Name])
		if err != nil {
			remove()
			return nil, err
		}
		done = append(done, f)
	}
	return remove, nil
}

// linkPort makes a symbolic link to the port and returns how to remove it. It replaces
// a link that an earlier run left, and nothing else.
func linkPort(name, port string) (func(), error) {
	if info, err := os.Lstat(name); err == nil {
		if info.Mode()&fs.ModeSymlink == 0 {
			return nil, fmt.Errorf("--pty-link %s: exists and is no symbolic link; name another path", name)
		}
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("--pty-link: %w", err)
		}
	}
	if err := os.Symlink(port, name); err != nil {
		return nil, fmt.Errorf("--pty-link: %w", err)
	}
	return func() {
		if to, err := os.Readlink(name); err == nil && to == port {
			os.Remove(name)
		}
	}, nil
}
