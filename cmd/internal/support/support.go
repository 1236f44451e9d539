// Package support makes the one file that a person sends to a maintainer: what a look at
// the robot found, versions, configuration, description, and how the last flight ended.
//
// Nothing personal leaves: every text passes [Secrets.Scrub], whoever made it. What is not
// here: what the files say (their makers), and sending anything anywhere.
// All functions may be used from any goroutine; a Secrets does not change after it is made.
package support

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/cmd/internal/sibling"
	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/infile"
)

// File is one part of a support file.
type File struct {
	Name string
	Text []byte
}

const readme = `What is in here was made by "robotd --check --support". It says how the robot is built and
how it is; names of people, their folders, this machine, its addresses and passwords are
replaced by words in brackets. Look through it before you send it.

`

// Write publishes the parts as one zip file, each scrubbed, complete or not at all.
func Write(name string, s *Secrets, parts []File) error {
	return atomicfile.Write(name, func(w io.Writer) error {
		z := zip.NewWriter(w)
		all := []File{{"README.txt", []byte(readme)}}
		for _, p := range parts {
			if len(p.Text) > 0 {
				all = append(all, p)
				all[0].Text = fmt.Appendf(all[0].Text, "  %s\n", p.Name)
			}
		}
		for _, p := range all {
			f, err := z.Create(p.Name)
			if err == nil {
				_, err = io.WriteString(f, s.Scrub(string(p.Text)))
			}
			if err != nil {
				return err
			}
		}
		return z.Close()
	})
}

// JSON is a part that holds a value.
func JSON(name string, v any) File {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		text = []byte(err.Error())
	}
	return File{name, append(text, '\n')}
}

// Versions says what runs on what.
func Versions(program string) File {
	first := func(file string) string {
		text, _ := infile.Read(file, 1<<16)
		line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		return line
	}
	system := ""
	if text, err := infile.Read("/etc/os-release", 1<<16); err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				system = strings.Trim(v, `"`)
			}
		}
	}
	return JSON("versions.json", map[string]any{
		"robotd": program, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH, "system": system,
		"kernel": first("/proc/sys/kernel/osrelease"), "preempt": strings.Contains(first("/proc/version"),
			"PREEMPT_RT"),
		"cores": runtime.NumCPU(), "memory": first("/proc/meminfo"),
	})
}

// doctorTime is how long "mitori doctor" may take.
const doctorTime = 30 * time.Second

// Doctor is what "mitori doctor" says, if that program is here.
func Doctor(ctx context.Context) File {
	part := File{Name: "doctor.json"}
	program, err := sibling.Find("mitori")
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, doctorTime)
		defer cancel()
		part.Text, err = exec.CommandContext(ctx, program, "doctor", "--json").Output() // fails where something is missing, and says what
	}
	if len(part.Text) == 0 && err != nil {
		part.Text = []byte(err.Error() + "\n")
	}
	return part
}

const (
	maxStats = 1 << 20
	maxLines = 300 // of the last recording's log
)

// Stats is the latest of some statistics files, if there is one.
func Stats(names ...string) File {
	newest := latest(names)
	text, err := infile.Read(newest, maxStats)
	if err != nil {
		return File{}
	}
	return File{"stats.json", text}
}

// Log is the end of the latest recording in a folder: what it says of itself and its last
// lines; of a file that is damaged what can be read.
func Log(folder string) File {
	names, _ := filepath.Glob(filepath.Join(folder, "*.mcap"))
	newest := latest(names)
	if newest == "" {
		return File{}
	}
	flight, err := recorder.Open(newest)
	if err != nil {
		return File{"flight-log.txt", []byte(err.Error() + "\n")}
	}
	var b strings.Builder
	for _, k := range sortedKeys(flight.Facts) {
		fmt.Fprintf(&b, "%s: %s\n", k, flight.Facts[k])
	}
	fmt.Fprintf(&b, "ticks: %d, truncated: %v\n\n", len(flight.Ticks), flight.Truncated)
	lines := flight.Log
	if n := len(lines); n > maxLines {
		fmt.Fprintf(&b, "(%d earlier lines are left out)\n", n-maxLines)
		lines = lines[n-maxLines:]
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s\n", time.Unix(0, l.TimeNs).UTC().Format("15:04:05.000"), l.Text)
	}
	return File{"flight-log.txt", []byte(b.String())}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// latest is the file that was written last, "" if there is none.
func latest(names []string) (newest string) {
	var at time.Time
	for _, n := range names {
		if st, err := os.Stat(n); err == nil && st.Mode().IsRegular() && st.ModTime().After(at) {
			newest, at = n, st.ModTime()
		}
	}
	return newest
}
