// Package bvh reads motion capture in BioVision Hierarchy files and turns it into a human.Motion.
//
// The format says neither which joint is which, nor which axis is up, nor what unit lengths have, nor how a joint's own
// axes lie when the person stands. So joints are recognised by the names that the common sources use or by a map that
// the caller gives; up is where the head is when the person stands; which way the skeleton faces, and how its joints'
// axes lie, makes no difference; the skeleton is scaled to a given body height. What cannot be told is refused.
//
// Not here: writing, and other formats. A File is read-only and may be shared.
package bvh

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// File is a skeleton and its channel values.
type File struct {
	Joints    []Joint
	FrameS    float64     // time between frames
	Values    [][]float64 // frame by frame, all channels in file order
	Notes     []string    // what was odd about the file, for people
	nChannels int
	shifts    bool // position channels of joints are added to the offsets
}

// Joint is one node of the skeleton; parents come first. End sites are joints without channels, named after their
// parent with "/end" behind it.
type Joint struct {
	Name   string
	Parent int
	Offset spatial.Vec3 // file units, file axes
	chans  []channel
}

// channel says what one number of a frame does: axis 0..2, turning or shifting.
type channel struct {
	axis int
	turn bool
	at   int // index into the frame
}

// Limits on what is read, against hostile files.
const (
	maxJoints = 500
	maxName   = 200 // bytes
	maxFrames = 1 << 20
)

// reader walks through the words of the file and knows the line.
type reader struct {
	sc    *bufio.Scanner
	words []string
	line  int
}

// fill reads lines until there is a word. Braces are words of their own, however they are written.
func (r *reader) fill() error {
	for len(r.words) == 0 {
		if !r.sc.Scan() {
			if err := r.sc.Err(); err != nil {
				return fmt.Errorf("bvh: line %d: %w", r.line+1, err)
			}
			return fmt.Errorf("bvh: line %d: the file ends too early: %w", r.line, io.ErrUnexpectedEOF)
		}
		r.line++
		text := r.sc.Text()
		if r.line == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // a byte order mark
		}
		r.words = strings.Fields(braces.Replace(text))
	}
	return nil
}

var braces = strings.NewReplacer("{", " { ", "}", " } ")

func (r *reader) next() (string, error) {
	if err := r.fill(); err != nil {
		return "", err
	}
	w := r.words[0]
	r.words = r.words[1:]
	return w, nil
}

func (r *reader) expect(want string) error {
	w, err := r.next()
	if err != nil {
		return err
	}
	if !strings.EqualFold(w, want) {
		return fmt.Errorf("bvh: line %d: %q; legal: %q", r.line, w, want)
	}
	return nil
}

// label reads words up to a colon, which may stand alone or have the value behind it without a space.
func (r *reader) label(want string) error {
	got := ""
	for {
		w, err := r.next()
		if err != nil {
			return err
		}
		before, after, colon := strings.Cut(w, ":")
		got = strings.TrimSpace(got + " " + before)
		if len(got) > len(want) || colon && !strings.EqualFold(got, want) {
			return fmt.Errorf("bvh: line %d: %q; legal: %q", r.line, got, want+":")
		}
		if colon {
			if after != "" {
				r.words = append([]string{after}, r.words...)
			}
			return nil
		}
	}
}

// name reads a joint's name: all words of the line, as some programs put spaces into names.
func (r *reader) name() (string, error) {
	out, err := r.next()
	if err != nil {
		return "", err
	}
	for len(r.words) > 0 && r.words[0] != "{" && len(out) <= maxName {
		out += " " + r.words[0]
		r.words = r.words[1:]
	}
	if len(out) > maxName {
		return "", fmt.Errorf("bvh: line %d: a joint's name of %d bytes; legal: at most %d", r.line, len(out), maxName)
	}
	if out == "{" || out == "}" {
		return "", fmt.Errorf("bvh: line %d: a joint without a name", r.line)
	}
	return out, nil
}

func (r *reader) number() (float64, error) {
	w, err := r.next()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(w, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("bvh: line %d: %q is not a finite number", r.line, w)
	}
	return v, nil
}

// Read parses a file.
func Read(in io.Reader) (*File, error) {
	r := &reader{sc: bufio.NewScanner(in)}
	r.sc.Buffer(make([]byte, 64<<10), 4<<20)
	if err := r.expect("HIERARCHY"); err != nil {
		return nil, err
	}
	f := &File{}
	for {
		w, err := r.next()
		if err != nil {
			return nil, err
		}
		switch {
		case strings.EqualFold(w, "ROOT"): // motion of several people may have several
			if err := f.joint(r, -1); err != nil {
				return nil, err
			}
		case strings.EqualFold(w, "MOTION") && len(f.Joints) > 0:
			if err := f.motion(r); err != nil {
				return nil, err
			}
			f.shifts = f.areShifts()
			return f, nil
		case len(f.Joints) == 0:
			return nil, fmt.Errorf("bvh: line %d: %q; legal: %q", r.line, w, "ROOT")
		default:
			return nil, fmt.Errorf("bvh: line %d: %q; legal: %q or %q", r.line, w, "MOTION", "ROOT")
		}
	}
}

// joint reads a joint's name and block.
func (f *File) joint(r *reader, parent int) error {
	name, err := r.name()
	if err != nil {
		return err
	}
	if parent >= 0 && strings.EqualFold(name, "Site") {
		name = f.Joints[parent].Name + "/end"
	}
	if len(f.Joints) == maxJoints {
		return fmt.Errorf("bvh: line %d: more than %d joints", r.line, maxJoints)
	}
	me := len(f.Joints)
	f.Joints = append(f.Joints, Joint{Name: name, Parent: parent})
	if err := r.expect("{"); err != nil {
		return err
	}
	for {
		w, err := r.next()
		if err != nil {
			return err
		}
		switch strings.ToUpper(w) {
		case "OFFSET":
			for k := range f.Joints[me].Offset {
				if f.Joints[me].Offset[k], err = r.number(); err != nil {
					return err
				}
			}
		case "CHANNELS":
			if err := f.channels(r, me); err != nil {
				return err
			}
		case "JOINT", "END":
			if err := f.joint(r, me); err != nil {
				return err
			}
		case "}":
			return nil
		default:
			return fmt.Errorf("bvh: line %d: %q in joint %q; legal: OFFSET, CHANNELS, JOINT, End Site, }", r.line, w, name)
		}
	}
}

func (f *File) channels(r *reader, me int) error {
	n, err := r.number()
	if err != nil {
		return err
	}
	if n < 0 || n > 6 || n != math.Trunc(n) {
		return fmt.Errorf("bvh: line %d: %g channels; legal: 0 to 6", r.line, n)
	}
	for k := 0; k < int(n); k++ {
		w, err := r.next()
		if err != nil {
			return err
		}
		c := channel{at: f.nChannels}
		low := strings.ToLower(w)
		if len(low) < 2 || low[0] < 'x' || low[0] > 'z' || low[1:] != "rotation" && low[1:] != "position" {
			return fmt.Errorf("bvh: line %d: channel %q; legal: Xposition ... Zrotation", r.line, w)
		}
		c.axis, c.turn = int(low[0]-'x'), low[1:] == "rotation"
		f.Joints[me].chans = append(f.Joints[me].chans, c)
		f.nChannels++
	}
	return nil
}

// motion reads the frames.
func (f *File) motion(r *reader) error {
	if err := r.label("Frames"); err != nil {
		return err
	}
	n, err := r.number()
	if err != nil {
		return err
	}
	if n < 2 || n > maxFrames || n != math.Trunc(n) {
		return fmt.Errorf("bvh: line %d: %g frames; legal: 2 to %d", r.line, n, maxFrames)
	}
	if err := r.label("Frame Time"); err != nil {
		return err
	}
	if f.FrameS, err = r.number(); err != nil {
		return err
	}
	if f.FrameS < 1e-3 || f.FrameS > 1 {
		return fmt.Errorf("bvh: line %d: frame time is %g s; legal: 0.001 to 1", r.line, f.FrameS)
	}
	if len(r.words) > 0 {
		return fmt.Errorf("bvh: line %d: %q behind the frame time; frames begin on a line of their own", r.line, r.words[0])
	}
	for t := 0; t < int(n); t++ {
		row, err := f.frame(r)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("bvh: frame %d of %d is cut off: %w", t+1, int(n), err)
		} else if err != nil {
			return err
		}
		f.Values = append(f.Values, row)
	}
	return f.rest(r, int(n))
}

// frame reads the numbers of one frame. They may go over several lines, but what follows begins on a new one: else
// the columns are not those of the skeleton, and all that follows would be shifted.
func (f *File) frame(r *reader) ([]float64, error) {
	row := make([]float64, f.nChannels)
	onLine := 0
	for k := range row {
		if len(r.words) == 0 {
			if err := r.fill(); err != nil {
				return nil, err
			}
			onLine = len(r.words)
		}
		var err error
		if row[k], err = r.number(); err != nil {
			return nil, err
		}
	}
	if len(r.words) > 0 {
		return nil, fmt.Errorf("bvh: line %d: %d numbers, but the skeleton has %d channels a frame (a frame may take several lines, but not share one)",
			r.line, onLine, f.nChannels)
	}
	return row, nil
}

// rest looks at what follows the last frame: frames that the header does not count are left out with a note, anything
// else is refused.
func (f *File) rest(r *reader, counted int) error {
	more := 0
	for r.sc.Scan() {
		r.line++
		words := strings.Fields(r.sc.Text())
		if len(words) == 0 {
			continue
		}
		if _, err := strconv.ParseFloat(words[0], 64); err != nil {
			return fmt.Errorf("bvh: line %d: %q behind the last of %d frames", r.line, words[0], counted)
		}
		more++
	}
	if err := r.sc.Err(); err != nil {
		return fmt.Errorf("bvh: line %d: %w", r.line+1, err)
	}
	if more > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d lines of numbers follow the %d frames that the file says it has; they are left out", more, counted))
	}
	return nil
}
