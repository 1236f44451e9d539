package bvh

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Write writes the file as text that Read understands. Joints of which nothing hangs get an end site, as the format
// wants one; those that have no channels are end sites themselves.
func (f *File) Write(w io.Writer) error {
	out := &bytes.Buffer{}
	fmt.Fprintln(out, "HIERARCHY")
	var order []int // the joints in the order in which they are written
	for i := range f.Joints {
		if f.Joints[i].Parent < 0 {
			f.writeJoint(out, i, 0, &order)
		}
	}
	fmt.Fprintf(out, "MOTION\nFrames: %d\nFrame Time: %s\n", len(f.Values), strconv.FormatFloat(f.FrameS, 'g', 9, 64))
	var line []byte
	for _, row := range f.Values {
		line = line[:0]
		for _, i := range order {
			for _, c := range f.Joints[i].chans {
				if len(line) > 0 {
					line = append(line, ' ')
				}
				line = strconv.AppendFloat(line, row[c.at], 'f', 6, 64)
			}
		}
		out.Write(append(line, '\n'))
	}
	_, err := w.Write(out.Bytes())
	return err
}

// writeJoint writes joint i and what hangs on it.
func (f *File) writeJoint(out *bytes.Buffer, i, depth int, order *[]int) {
	j, in := &f.Joints[i], strings.Repeat("\t", depth)
	if f.endSite(i) {
		writeEnd(out, in, j.Offset)
		return
	}
	kind := "JOINT"
	if j.Parent < 0 {
		kind = "ROOT"
	}
	fmt.Fprintf(out, "%s%s %s\n%s{\n%s\tOFFSET %s\n%s\tCHANNELS %d", in, kind, j.Name, in, in, triple(j.Offset), in, len(j.chans))
	for _, c := range j.chans {
		what := "position"
		if c.turn {
			what = "rotation"
		}
		fmt.Fprintf(out, " %c%s", 'X'+c.axis, what)
	}
	fmt.Fprintln(out)
	*order = append(*order, i)
	leaf := true
	for k := i + 1; k < len(f.Joints); k++ {
		if f.Joints[k].Parent == i {
			leaf = false
			f.writeJoint(out, k, depth+1, order)
		}
	}
	if leaf {
		writeEnd(out, in+"\t", spatial.Vec3{})
	}
	fmt.Fprintf(out, "%s}\n", in)
}

// endSite reports whether nothing is said of a joint but where it is, and nothing hangs on it.
func (f *File) endSite(i int) bool {
	if len(f.Joints[i].chans) > 0 || f.Joints[i].Parent < 0 {
		return false
	}
	for k := i + 1; k < len(f.Joints); k++ {
		if f.Joints[k].Parent == i {
			return false
		}
	}
	return true
}

func writeEnd(out *bytes.Buffer, in string, at spatial.Vec3) {
	fmt.Fprintf(out, "%sEnd Site\n%s{\n%s\tOFFSET %s\n%s}\n", in, in, in, triple(at), in)
}

func triple(v spatial.Vec3) string {
	return fmt.Sprintf("%.6f %.6f %.6f", v[0], v[1], v[2])
}
