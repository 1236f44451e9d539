// Package bvh reads motion capture in BioVision Hierarchy files and turns it into a human.Motion.
//
// Joints are recognised by the names that the common sources use (CMU, Mixamo, LAFAN1 and their like); the skeleton's
// y axis is up and z forward, as in nearly all such files. Lengths have no unit in the format: the skeleton is scaled
// to a given body height.
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
	nChannels int
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
	maxFrames = 1 << 20
)

// reader walks through the words of the file and knows the line.
type reader struct {
	sc    *bufio.Scanner
	words []string
	line  int
}

func (r *reader) next() (string, error) {
	for len(r.words) == 0 {
		if !r.sc.Scan() {
			if err := r.sc.Err(); err != nil {
				return "", fmt.Errorf("bvh: line %d: %w", r.line, err)
			}
			return "", fmt.Errorf("bvh: line %d: the file ends too early: %w", r.line, io.ErrUnexpectedEOF)
		}
		r.line++
		r.words = strings.Fields(r.sc.Text())
	}
	w := r.words[0]
	r.words = r.words[1:]
	return w, nil
}

func (r *reader) expect(words ...string) error {
	for _, want := range words {
		w, err := r.next()
		if err != nil {
			return err
		}
		if !strings.EqualFold(w, want) {
			return fmt.Errorf("bvh: line %d: %q, expected %q", r.line, w, want)
		}
	}
	return nil
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
	if err := r.expect("HIERARCHY", "ROOT"); err != nil {
		return nil, err
	}
	f := &File{}
	if err := f.joint(r, -1); err != nil {
		return nil, err
	}
	return f, f.motion(r)
}

// joint reads a joint's name and block.
func (f *File) joint(r *reader, parent int) error {
	name, err := r.next()
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
	if err := r.expect("MOTION", "Frames:"); err != nil {
		return err
	}
	n, err := r.number()
	if err != nil {
		return err
	}
	if n < 2 || n > maxFrames || n != math.Trunc(n) {
		return fmt.Errorf("bvh: line %d: %g frames; legal: 2 to %d", r.line, n, maxFrames)
	}
	if err := r.expect("Frame", "Time:"); err != nil {
		return err
	}
	if f.FrameS, err = r.number(); err != nil {
		return err
	}
	if f.FrameS < 1e-3 || f.FrameS > 1 {
		return fmt.Errorf("bvh: line %d: frame time is %g s; legal: 0.001 to 1", r.line, f.FrameS)
	}
	for t := 0; t < int(n); t++ {
		row := make([]float64, f.nChannels)
		for k := range row {
			if row[k], err = r.number(); err != nil {
				if errors.Is(err, io.ErrUnexpectedEOF) {
					return fmt.Errorf("bvh: frame %d of %d is cut off: %w", t+1, int(n), err)
				}
				return err
			}
		}
		f.Values = append(f.Values, row)
	}
	return nil
}

// Pose places all joints at frame t: positions in file units and orientations, file axes. t = -1 is the skeleton's own
// rest pose, with the root at its offset.
func (f *File) Pose(t int, pos []spatial.Vec3, rot []spatial.Quat) {
	for i := range f.Joints {
		j := &f.Joints[i]
		p, q := j.Offset, spatial.Identity()
		if t >= 0 {
			for _, c := range j.chans {
				v := f.Values[t][c.at]
				if !c.turn {
					if j.Parent < 0 && c == j.chans[0] {
						p = spatial.Vec3{}
					}
					p[c.axis] += v
					continue
				}
				var axis spatial.Vec3
				axis[c.axis] = 1
				q = q.Mul(spatial.FromAxisAngle(axis, v*math.Pi/180))
			}
		}
		if j.Parent >= 0 {
			p = pos[j.Parent].Add(rot[j.Parent].Rotate(p))
			q = rot[j.Parent].Mul(q)
		}
		pos[i], rot[i] = p, q
	}
}
