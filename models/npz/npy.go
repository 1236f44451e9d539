package npz

import (
	"bufio"
	"encoding/binary"
	"errors"
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

// maxHead bounds the header; NumPy's own limit is 10000 bytes.
const maxHead = 1 << 16

// header says what follows it in an npy stream.
type header struct {
	shape   []int
	dtype   string
	item    int // bytes of a value
	count   int // of values
	fortran bool
}

// readNpy decodes one .npy stream. It never trusts a length before the bytes are
// there, and takes what it allocates from left.
func readNpy(stream io.Reader, left *budget) (Array, error) {
	r := bufio.NewReaderSize(stream, 1<<16)
	h, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	size := int64(8)
	if h.dtype == "U" {
		size = int64(16 + h.item) // a string's header and, at most, its letters
	}
	if err := left.take(int64(h.count), size); err != nil {
		return Array{}, err
	}
	a := Array{Shape: h.shape, Dtype: h.dtype}
	buf := make([]byte, h.item)
	for i := range h.count {
		if _, err := io.ReadFull(r, buf); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return Array{}, fmt.Errorf("shape %v needs %d values of %d bytes, only %d follow", h.shape, h.count, h.item, i)
			}
			return Array{}, err
		}
		if h.dtype == "U" {
			a.Text = append(a.Text, text(buf))
		} else {
			a.Data = append(a.Data, number(h.dtype, buf))
		}
	}
	if h.fortran && len(h.shape) > 1 {
		a.Data, a.Text = fromFortran(a.Data, h.shape), fromFortran(a.Text, h.shape)
	}
	return a, nil
}

func readHeader(r io.Reader) (*header, error) {
	var b [12]byte
	if _, err := io.ReadFull(r, b[:10]); err != nil || string(b[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("not an npy stream")
	}
	n := int64(binary.LittleEndian.Uint16(b[8:]))
	switch b[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, b[10:]); err != nil {
			return nil, fmt.Errorf("npy header is cut off")
		}
		n = int64(binary.LittleEndian.Uint32(b[8:]))
	default:
		return nil, fmt.Errorf("npy version %d is unknown; legal: 1, 2, 3", b[6])
	}
	if n > maxHead {
		return nil, fmt.Errorf("npy header of %d bytes; legal: at most %d", n, maxHead)
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("npy header is cut off")
	}
	return parseHeader(string(head))
}

func parseHeader(head string) (*header, error) {
	d, o, s := descrRE.FindStringSubmatch(head), orderRE.FindStringSubmatch(head), shapeRE.FindStringSubmatch(head)
	if d == nil || o == nil || s == nil {
		return nil, fmt.Errorf("npy header %.80q is not understood", head)
	}
	if d[1] == ">" {
		return nil, fmt.Errorf("npy header %.80q: only little-endian arrays are read", head)
	}
	width, err := strconv.Atoi(d[3])
	if err != nil || width > 1<<16 {
		return nil, fmt.Errorf("npy item width %q is out of range", d[3])
	}
	h := &header{dtype: d[2] + d[3], item: width, count: 1, fortran: o[1] == "True"}
	if d[2] == "U" {
		h.dtype, h.item = "U", 4*max(width, 1)
	}
	switch h.dtype {
	case "f8", "f4", "i8", "i4", "U":
	case "b1":
		h.item = 1
	default:
		return nil, fmt.Errorf("npy dtype %q is not read; legal: f8 f4 i8 i4 b1 U", h.dtype)
	}
	total := 1 // with empty dimensions counted as 1: the others are as long as they say
	for _, part := range strings.Split(s[1], ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > 1<<30 || total > (1<<30)/max(n, 1) || len(h.shape) == 16 {
			return nil, fmt.Errorf("npy shape (%.80s) is out of range", s[1])
		}
		total *= max(n, 1)
		h.count *= n
		h.shape = append(h.shape, n)
	}
	return h, nil
}

// fromFortran brings values whose first index runs fastest into C order.
func fromFortran[V any](values []V, shape []int) []V {
	out := make([]V, len(values))
	at := make([]int, len(shape))
	for _, v := range values {
		i := 0
		for k, n := range shape {
			i = i*n + at[k]
		}
		out[i] = v
		for k := range at {
			if at[k]++; at[k] < shape[k] {
				break
			}
			at[k] = 0
		}
	}
	return out
}

// text decodes a string of UTF-32 that ends early with a zero.
func text(b []byte) string {
	var s strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		c := binary.LittleEndian.Uint32(b)
		if c == 0 {
			break
		}
		s.WriteRune(rune(c))
	}
	return s.String()
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
