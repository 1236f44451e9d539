// Package npz reads and writes NumPy NPZ archives: a zip of .npy arrays, the
// interchange format of human motions and reference motions.
//
// It covers little-endian float32/float64/int32/int64/bool arrays of any shape
// and Unicode string arrays; Fortran order becomes C order at reading. What an
// archive may take in memory is bounded, whatever it claims. The library github.com/sbinet/npyio was
// tried first: it cannot write arrays whose shape is known only at run time nor
// string arrays. Archives are written with fixed time stamps, so the same
// content gives the same bytes.
//
// Format: NumPy enhancement proposal 1 (npy format, version 1.0 and 2.0).
package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"

	"github.com/mitori-robotics/mitori/models/atomicfile"
)

// Array is one member of an archive. Exactly one of Data and Text is used.
type Array struct {
	Shape []int
	Data  []float64 // numeric content in C order, len = product of Shape
	Text  []string  // string content in C order
	Dtype string    // "f8" (default), "f4", "i8", "i4", "b1" or "U" (text)
}

// Archive maps member names (without ".npy") to arrays.
type Archive map[string]Array

// Floats returns a float64 array of the given shape over data.
func Floats(data []float64, shape ...int) Array { return Array{Shape: shape, Data: data} }

// Floats32 returns an array that is stored in single precision.
func Floats32(data []float64, shape ...int) Array {
	return Array{Shape: shape, Data: data, Dtype: "f4"}
}

// Strings returns a one-dimensional string array.
func Strings(text []string) Array { return Array{Shape: []int{len(text)}, Text: text, Dtype: "U"} }

// Scalar returns a zero-dimensional float64 array.
func Scalar(v float64) Array { return Array{Data: []float64{v}} }

// String returns a zero-dimensional string array.
func String(s string) Array { return Array{Text: []string{s}, Dtype: "U"} }

// Save writes the archive to name, completely or not at all.
func Save(name string, a Archive) error {
	return atomicfile.Write(name, func(w io.Writer) error { return Write(w, a) })
}

// Write encodes the archive, members in alphabetical order.
func Write(w io.Writer, a Archive) error {
	names := make([]string, 0, len(a))
	for n := range a {
		names = append(names, n)
	}
	sort.Strings(names)
	z := zip.NewWriter(w)
	for _, n := range names {
		f, err := z.CreateHeader(&zip.FileHeader{Name: n + ".npy", Method: zip.Deflate})
		if err != nil {
			return err
		}
		if err := writeNpy(f, a[n]); err != nil {
			return fmt.Errorf("npz: member %q: %w", n, err)
		}
	}
	return z.Close()
}

func (a Archive) names() []string {
	var s []string
	for n := range a {
		s = append(s, n)
	}
	sort.Strings(s)
	return s
}

func (a Array) size() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

func writeNpy(w io.Writer, a Array) error {
	dtype := a.Dtype
	if dtype == "" {
		dtype = "f8"
	}
	n := a.size()
	var descr string
	var width int
	switch dtype {
	case "f8", "f4", "i8", "i4":
		descr = "<" + dtype
	case "b1":
		descr = "|b1"
	case "U":
		for _, s := range a.Text {
			width = max(width, len([]rune(s)))
		}
		descr = fmt.Sprintf("<U%d", max(width, 1))
		width = max(width, 1)
	default:
		return fmt.Errorf("dtype %q cannot be written; legal: f8 f4 i8 i4 b1 U", dtype)
	}
	if (dtype == "U" && len(a.Text) != n) || (dtype != "U" && len(a.Data) != n) {
		return fmt.Errorf("%d values for shape %v", max(len(a.Text), len(a.Data)), a.Shape)
	}
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		dims[i] = fmt.Sprint(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	pad := 64 - (10+len(head)+1)%64
	head += strings.Repeat(" ", pad%64) + "\n"
	buf := bytes.NewBuffer(nil)
	buf.WriteString("\x93NUMPY\x01\x00")
	var hl [2]byte
	binary.LittleEndian.PutUint16(hl[:], uint16(len(head)))
	buf.Write(hl[:])
	buf.WriteString(head)
	if dtype == "U" {
		for _, s := range a.Text {
			r := []rune(s)
			for i := range width {
				var c uint32
				if i < len(r) {
					c = uint32(r[i])
				}
				buf.Write(binary.LittleEndian.AppendUint32(nil, c))
			}
		}
	} else {
		var scratch []byte
		for _, v := range a.Data {
			scratch = appendNumber(scratch[:0], dtype, v)
			buf.Write(scratch)
		}
	}
	_, err := w.Write(buf.Bytes())
	return err
}

func appendNumber(b []byte, dtype string, v float64) []byte {
	switch dtype {
	case "f4":
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	case "i8":
		return binary.LittleEndian.AppendUint64(b, uint64(int64(v)))
	case "i4":
		return binary.LittleEndian.AppendUint32(b, uint32(int32(v)))
	case "b1":
		if v != 0 {
			return append(b, 1)
		}
		return append(b, 0)
	}
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}
