package robot

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/models/build"
	"github.com/mitori-robotics/mitori/models/strictyaml"
)

// Words of record_when.
const (
	recordAlways = "always"
	recordArmed  = "armed"
)

// Bounds and defaults, MB.
const (
	leastLimitMB, defaultLimitMB, mostLimitMB = 10, 2000, 1_000_000
	leastFileMB, defaultFileMB                = 1, 64
)

// recordLimits are the sizes that are meant, in MB.
func (c *Config) recordLimits() (all, one int) {
	if all = c.RecordLimitMB; all == 0 {
		all = defaultLimitMB
	}
	if one = c.RecordFileMB; one == 0 {
		one = min(defaultFileMB, all/2)
	}
	return all, one
}

func (c *Config) recordFaults(bad *strictyaml.Faults) {
	all, one := c.recordLimits()
	bad.Check(all >= leastLimitMB && all <= mostLimitMB, "record_limit_mb: %d; legal: %d to %d", all, leastLimitMB, mostLimitMB)
	bad.Check(one >= leastFileMB && one <= all/2, "record_file_mb: %d; legal: %d to %d, half of record_limit_mb", one, leastFileMB, all/2)
	bad.Check(slices.Contains([]string{"", recordAlways, recordArmed}, c.RecordWhen),
		"record_when: %q; legal: %s, %s", c.RecordWhen, recordAlways, recordArmed)
}

// recordPlace is where recordings go: the name of a file, or a folder.
func (c *Config) recordPlace() (path string, folder bool, err error) {
	if c.Record == "" {
		path, err = stateDir()
		return filepath.Join(path, "flights"), true, err
	}
	st, err := os.Stat(c.Record)
	return c.Record, strings.HasSuffix(c.Record, "/") || err == nil && st.IsDir(), nil
}

// stateDir is what belongs to robotd and outlives it: $STATE_DIRECTORY, which a service manager makes, or mitori in
// $XDG_STATE_HOME, or in .local/state of the home folder.
func stateDir() (string, error) {
	if first, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); filepath.IsAbs(first) {
		return first, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "mitori"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", errors.New("no folder for recordings: neither $STATE_DIRECTORY, $XDG_STATE_HOME nor $HOME is set; " +
			"say where with --record FILE or FOLDER, or fly without with --record none")
	}
	return filepath.Join(home, ".local", "state", "mitori"), nil
}

// megabyte is what disks are sold in.
const megabyte = 1_000_000

// record opens the flight recording, unless it is off.
func (r *run) record() error {
	if r.o.Record == "none" {
		return nil
	}
	path, folder, err := r.o.recordPlace()
	if err != nil {
		return err
	}
	facts, err := r.facts()
	if err != nil {
		return err
	}
	all, one := r.o.recordLimits()
	r.rec, err = flight.Record(logbook.Config{
		Path: path, Folder: folder, Robot: r.desc.Name, FileBytes: int64(one) * megabyte, KeepBytes: int64(all) * megabyte,
		OnlyArmed: r.o.RecordWhen == recordArmed, Tell: r.tell.Event,
	}, r.desc.JointNames(), r.cfg, r.pol != nil || r.o.Follow, facts)
	if err != nil {
		return err
	}
	if r.recorded(); folder {
		r.tell.Event("recordings in %s, %d MB at most", path, all)
	} else if r.stats.Recording != path {
		r.tell.Event("%s is there already; recording to %s", path, r.stats.Recording)
	}
	return nil
}

// facts are what a recording says of this run.
func (r *run) facts() (map[string]string, error) {
	inForce, err := json.Marshal(r.stats.Failsafes)
	facts := map[string]string{
		"robot": r.desc.Name, "robot_hash": r.desc.Hash, "sim": fmt.Sprint(r.o.Sim), "version": build.Version(), "failsafes": string(inForce),
	}
	if r.pol != nil {
		facts["policy"], facts["policy_hash"] = filepath.Base(r.o.Policy), r.pol.hash
	}
	return facts, err
}

// recorded takes over into the statistics what was recorded so far.
func (r *run) recorded() {
	if r.rec != nil {
		r.stats.Recording, r.stats.RecordingFiles = r.rec.Name(), r.rec.Files()
	}
}
