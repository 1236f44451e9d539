package c3d

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// truth is what testdata/ezc3d.c3d holds, and what encode writes.
func truth(t, i int) spatial.Vec3 {
	return spatial.Vec3{float64(100*i + t), float64(-50 * i), 10.5 * float64(t)}
}

func check(t *testing.T, f *File, within float64) {
	t.Helper()
	if got := strings.Join(f.Labels, ","); got != "S1:LHIP,S1:LKNE,*12,RANK" || f.RateHz != 100 || f.Units != "mm" || len(f.Frames) != 5 {
		t.Fatalf("labels %s, %g Hz, %q, %d frames", got, f.RateHz, f.Units, len(f.Frames))
	}
	for k, row := range f.Frames {
		for i, p := range row {
			if unseen := math.IsNaN(p[0]); unseen != (k == 3 && i == 2) {
				t.Errorf("frame %d, point %d: unseen %v", k, i, unseen)
			} else if d := p.Sub(truth(k, i)).Norm(); d > within {
				t.Errorf("frame %d, point %d is %g mm away", k, i, d)
			}
		}
	}
}

// Written by the field's usual library.
func TestTheLibrarysFile(t *testing.T) {
	in, err := os.Open("testdata/ezc3d.c3d")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f, err := Read(in, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	check(t, f, 1e-4)
}

// writer makes files of all kinds of machine after the user guide.
type writer struct {
	bytes.Buffer
	kind  byte
	order binary.ByteOrder
}

func (w *writer) u16(v int) { _ = binary.Write(w, w.order, uint16(v)) }

func (w *writer) float(v float64) {
	bits := math.Float32bits(float32(v))
	if w.kind == dec { // exponent 2 more, words exchanged
		if v != 0 {
			bits += 2 << 23
		}
		_ = binary.Write(w, binary.LittleEndian, [2]uint16{uint16(bits >> 16), uint16(bits)})
		return
	}
	_ = binary.Write(w, w.order, bits)
}

func (w *writer) pad() {
	for w.Len()%blockBytes > 0 {
		w.WriteByte(0)
	}
}

// record writes a group (id < 0) or a parameter of it.
func (w *writer) record(id int8, name string, body func()) {
	w.WriteByte(byte(len(name)))
	w.WriteByte(byte(id))
	w.WriteString(name)
	inner := writer{kind: w.kind, order: w.order}
	outer := *w
	*w = inner
	body()
	b := append([]byte(nil), w.Bytes()...)
	*w = outer
	w.u16(len(b) + 3)
	w.Write(b)
	w.WriteByte(0) // no description
}

// encode writes the truth with the given scale: negative for floats.
func encode(kind byte, scale float64) []byte {
	w := &writer{kind: kind, order: binary.LittleEndian}
	if kind == mips {
		w.order = binary.BigEndian
	}
	labels := []string{"S1:LHIP", "S1:LKNE", "*12    ", "RANK   "}
	w.Write([]byte{2, magic})
	for _, v := range []int{4, 0, 1, 5, 10} {
		w.u16(v)
	}
	w.float(scale)
	w.u16(4)
	w.u16(0)
	w.float(100)
	w.pad()
	w.Write([]byte{1, magic, 2, kind})
	w.record(1, "LABELS", func() { // before its group
		w.Write([]byte{0xff, 2, 7, 4})
		w.WriteString(strings.Join(labels, ""))
	})
	w.record(-1, "POINT", func() {})
	w.record(1, "RATE", func() { w.Write([]byte{4, 0}); w.float(100) })
	w.record(1, "UNITS", func() { w.Write([]byte{0xff, 1, 2}); w.WriteString("mm") })
	w.record(1, "USED", func() { w.Write([]byte{2, 0}); w.u16(4) })
	w.Write([]byte{0, 0})
	for w.Len() < 3*blockBytes {
		w.WriteByte(0)
	}
	for t := range 5 {
		for i := range 4 {
			p, seen := truth(t, i), 0
			if t == 3 && i == 2 {
				seen = -1
			}
			for _, v := range p {
				if scale < 0 {
					w.float(v)
				} else {
					w.u16(int(int16(math.Round(v / scale))))
				}
			}
			if scale < 0 {
				w.float(float64(seen))
			} else {
				w.u16(seen)
			}
		}
	}
	w.pad()
	return w.Bytes()
}

func TestAllMachines(t *testing.T) {
	for _, kind := range []byte{intel, dec, mips} {
		for _, scale := range []float64{-1, 0.05} {
			f, err := Read(bytes.NewReader(encode(kind, scale)), 1<<20)
			if err != nil {
				t.Errorf("machine %d, scale %g: %v", kind, scale, err)
				continue
			}
			check(t, f, math.Max(1e-4, scale))
		}
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	good := encode(intel, -1)
	for want, b := range map[string][]byte{
		"not a C3D file": good[:100],
		"cut off":        good[:len(good)-blockBytes],
		"processor":      append(append(append([]byte(nil), good[:blockBytes+3]...), 7), good[blockBytes+4:]...),
		"more than":      bytes.Repeat(good, 3),
	} {
		if _, err := Read(bytes.NewReader(b), int64(2*len(good))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(intel, -1))
	f.Add(encode(mips, 0.05))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read(bytes.NewReader(b), 1<<20)
		if err == nil && len(file.Frames) < 2 {
			t.Error("a recording of less than two frames")
		}
	})
}
