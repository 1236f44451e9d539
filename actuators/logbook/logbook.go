// Package logbook keeps a robot's flight recordings within bounds: one file after the other, none larger than wanted,
// all of them together within a limit, so that a robot that is left switched on does not fill its disk.
//
// A [Book] is written like one recording. It begins a new file when the present one is full, and in a folder of its own
// also when the robot is armed again, so that a flight is a file. Each file is closed and opens by itself. Before a new
// one is begun, the oldest recordings of this book are removed until there is room for it: files that carry its name,
// that robotd wrote for this robot, and that nobody is writing; see [remove]. Nothing else is ever touched.
//
// What is not here: the file format (package recorder), where robots keep their recordings (the command), what a lost
// recording means (package mode). A Book belongs to one goroutine, never the loop's.
package logbook

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Config says what is written where.
type Config struct {
	// Path is a folder, or the name of the first file; the ones after it get numbers. Missing folders are made.
	Path   string
	Folder bool // Path is a folder; files in it are named after the time
	Robot  string
	Header recorder.Header // of every file; the fact "part" is added

	FileBytes int64 // largest file
	KeepBytes int64 // all files together; at least two of the largest
	// OnlyArmed leaves out what happens while the robot is disarmed or in a fault, but for the seconds after a flight.
	OnlyArmed bool
	// Tell, if set, hears of files that are begun or removed.
	Tell func(format string, args ...any)
}

// Book is an open logbook.
type Book struct {
	cfg    Config
	pages  pages
	rec    *recorder.Recorder // nil: none is open
	name   string             // of the latest file
	files  int                // begun so far
	flown  bool               // the present file holds a flight
	device bool               // Path is a device, which is written to as it is
	landed int64              // when the robot was last under torque, ns on the loop's clock; 0: not yet
	err    error
}

const (
	// stamp names files in a folder.
	stamp = "20060102T150405Z"
	ext   = ".mcap"
	// aftermath is recorded after a flight where nothing else is.
	aftermath = 5 * time.Second
)

// Open begins a logbook, and its first file unless only flights are recorded; then it makes sure that one could be
// begun.
func Open(cfg Config) (*Book, error) {
	if cfg.FileBytes < 1 || cfg.KeepBytes < 2*cfg.FileBytes {
		return nil, fmt.Errorf("logbook: %d bytes a file, %d in all; legal: room for two files", cfg.FileBytes, cfg.KeepBytes)
	}
	b := &Book{cfg: cfg, pages: newPages(cfg)}
	if st, err := os.Stat(cfg.Path); err == nil && st.Mode()&os.ModeDevice != 0 {
		b.device = true
	}
	if err := b.begin(time.Now()); err != nil {
		return nil, err
	}
	if cfg.OnlyArmed && !b.device {
		first := b.name
		if err := b.end(); err != nil {
			return nil, err
		}
		b.name, b.files = "", 0
		return b, os.Remove(first)
	}
	return b, nil
}

// Add records one tick: see recorder.Recorder.Add. After the first failure it keeps returning that failure.
func (b *Book) Add(s *trace.Sample, detail string) error {
	if b.err == nil {
		b.err = b.add(s, detail)
	}
	return b.err
}

func (b *Book) add(s *trace.Sample, detail string) error {
	flying := s.Mode != mode.Disarmed && s.Mode != mode.Fault
	if flying {
		b.landed = s.MonoNs
	}
	if b.cfg.OnlyArmed && !flying && (b.landed == 0 || s.MonoNs-b.landed > int64(aftermath)) {
		return b.end()
	}
	again := b.cfg.Folder && b.flown && s.Mode == mode.Arming && s.From != mode.Arming
	if b.rec != nil && !b.device && (again || b.rec.Size() >= b.cfg.FileBytes) {
		if err := b.end(); err != nil {
			return err
		}
	}
	if b.rec == nil {
		if err := b.begin(time.Unix(0, s.WallNs)); err != nil {
			return err
		}
	}
	b.flown = b.flown || flying
	return b.rec.Add(s, detail)
}

// begin makes room, and starts a file.
func (b *Book) begin(at time.Time) (err error) {
	name := b.cfg.Path
	if b.cfg.Folder {
		name = filepath.Join(name, at.UTC().Format(stamp)+ext)
	}
	if !b.device {
		b.remove(b.cfg.KeepBytes - b.cfg.FileBytes)
	}
	h := b.cfg.Header
	h.Facts = map[string]string{"part": fmt.Sprint(b.files + 1), "robot": b.cfg.Robot}
	for k, v := range b.cfg.Header.Facts {
		h.Facts[k] = v
	}
	if b.rec, err = recorder.Create(name, h); err != nil {
		return err
	}
	b.name, b.flown = b.rec.Name(), false
	if b.files++; b.files > 1 {
		b.tell("recording to %s", b.name)
	}
	return nil
}

// remove removes the oldest recordings of this book until the rest fits into keep bytes.
func (b *Book) remove(keep int64) {
	gone, failed := b.pages.trim(keep)
	if len(gone) > 0 {
		b.tell("removed %d old recordings (record_limit_mb), the oldest %s", len(gone), gone[0])
	}
	if failed != nil {
		b.tell("warning: an old recording cannot be removed: %v", failed)
	}
}

// end closes the present file, if there is one.
func (b *Book) end() error {
	if b.rec == nil {
		return nil
	}
	err := b.rec.Close()
	b.rec = nil
	return err
}

func (b *Book) tell(format string, args ...any) {
	if b.cfg.Tell != nil {
		b.cfg.Tell(format, args...)
	}
}

// Name is the latest file's name; "" before the first.
func (b *Book) Name() string { return b.name }

// Files is how many files were begun.
func (b *Book) Files() int { return b.files }

// Close ends the logbook. A failure of Add is returned again.
func (b *Book) Close() error {
	if err := b.end(); b.err == nil {
		b.err = err
	}
	return b.err
}

// stem is a file's name without folder and extension.
func stem(name string) (string, string) {
	e := filepath.Ext(name)
	return strings.TrimSuffix(filepath.Base(name), e), e
}
