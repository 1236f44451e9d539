package npz

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var (
	descrRE = regexp.MustCompile(`'descr':\s*'([<|=>]?)([a-zA-Z])(\d+)'`)
	orderRE = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapeRE = regexp.MustCompile(`'shape':\s*\(([^)]*)\)`)
)

// readNpy decodes one .npy stream. It never trusts a length before the bytes
// are there.
func readNpy(r io.Reader) (Array, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return Array{}, err
	}
	if len(b) < 10 || string(b[:6]) != "\x93NUMPY" {
		return Array{}, fmt.Errorf("not an npy stream")
	}
	var start, n int
	switch b[6] {
	case 1:
		start, n = 10, int(binary.LittleEndian.Uint16(b[8:]))
	case 2, 3:
		if len(b) < 12 {
			return Array{}, fmt.Errorf("npy header is cut off")
		}
		start, n = 12, int(binary.LittleEndian.Uint32(b[8:]))
	default:
		return Array{}, fmt.Errorf("npy version %d is unknown; legal: 1, 2, 3", b[6])
	}
	if n < 0 || n > len(b)-start {
		return Array{}, fmt.Errorf("npy header is cut off")
	}
	head, body := string(b[start:start+n]), b[start+n:]
	a, item, err := parseHeader(head)
	if err != nil {
		return Array{}, err
	}
	count := a.size()
	if item == 0 || count > len(body)/item {
		return Array{}, fmt.Errorf("shape %v needs %d values of %d bytes, only %d bytes follow", a.Shape, count, item, len(body))
	}
	if a.Dtype == "U" {
		a.Text = make([]string, count)
		for i := range a.Text {
			var s strings.Builder
			for k := 0; k < item; k += 4 {
				c := binary.LittleEndian.Uint32(body[i*item+k:])
				if c == 0 {
					break
				}
				s.WriteRune(rune(c))
			}
			a.Text[i] = s.String()
		}
		return a, nil
	}
	a.Data = make([]float64, count)
	for i := range a.Data {
		a.Data[i] = number(a.Dtype, body[i*item:])
	}
	return a, nil
}

func parseHeader(head string) (a Array, item int, err error) {
	d, o, s := descrRE.FindStringSubmatch(head), orderRE.FindStringSubmatch(head), shapeRE.FindStringSubmatch(head)
	if d == nil || o == nil || s == nil {
		return a, 0, fmt.Errorf("npy header %.80q is not understood", head)
	}
	if d[1] == ">" || o[1] == "True" {
		return a, 0, fmt.Errorf("npy header %.80q: only little-endian arrays in C order are read", head)
	}
	width, err := strconv.Atoi(d[3])
	if err != nil || width > 1<<20 {
		return a, 0, fmt.Errorf("npy item width %q is out of range", d[3])
	}
	a.Dtype, item = d[2]+d[3], width
	if d[2] == "U" {
		a.Dtype, item = "U", 4*max(width, 1)
	}
	switch a.Dtype {
	case "f8", "f4", "i8", "i4", "b1", "U":
	default:
		return a, 0, fmt.Errorf("npy dtype %q is not read; legal: f8 f4 i8 i4 b1 U", a.Dtype)
	}
	total := 1
	for _, part := range strings.Split(s[1], ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > 1<<30 || total > (1<<31)/max(n, 1) {
			return a, 0, fmt.Errorf("npy shape (%s) is out of range", s[1])
		}
		total *= n
		a.Shape = append(a.Shape, n)
	}
	return a, item, nil
}

func number(dtype string, b []byte) float64 {
	switch dtype {
	case "f4":
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case "i8":
		return float64(int64(binary.LittleEndian.Uint64(b)))
	case "i4":
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case "b1":
		return float64(b[0])
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}
