package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// runResults are the files that a run of learn leaves in its folder and that say
// how that run went. Checkpoints are not among them: they are what --resume
// takes up.
func runResults() []string {
	return []string{
		"summary.json", "report.html", "side_by_side.mp4", "moments.png", "eval.json",
		"policy.bundle", "reference.motion.npz", "person.human.npz",
		statsFile, traceFile, recordingFile,
	}
}

// What robotd and the emulated robot leave.
const (
	statsFile     = "stats.json"
	traceFile     = "robotd.trace.npz"
	recordingFile = "flight.mcap"
)

// clear removes results of an earlier run, so that a run that fails cannot show
// them as its own. Files of other names are not touched. A name that is taken by
// something that learn never wrote (a folder, a device) is an error.
func (l *learner) clear(names ...string) error {
	for _, name := range names {
		path := l.path(name)
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if mode := st.Mode(); !mode.IsRegular() && mode&fs.ModeSymlink == 0 {
			return fmt.Errorf("%s is in the way: learn writes a file of this name, and it is none (%s); move it, or choose another folder with -o", path, mode.Type())
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// forget removes the checkpoints of a run that is done: what was learnt is in
// the bundle.
func (l *learner) forget() error {
	for _, name := range l.checkpoints {
		if err := removeIfThere(name); err != nil {
			return err
		}
	}
	return nil
}

// removeIfThere removes a file; that there is none is no error.
func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
