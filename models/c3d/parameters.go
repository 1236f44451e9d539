package c3d

import (
	"fmt"
	"strings"
)

// parameter is one value of a group: text or numbers with dimensions.
type parameter struct {
	text    bool
	dims    []int
	bytes   []byte
	numbers []float64
}

// groups are the parameters by "GROUP:NAME".
type groups map[string]parameter

// parameters reads the section that begins at a byte: four bytes, then records, each of which says how far the next is.
func (r *reader) parameters(start int) (groups, error) {
	out, names := groups{}, map[int]string{}
	var late []func() // parameters may come before the name of their group
	end := min(len(r.b), start+int(r.b[start+2])*blockBytes)
	if r.b[start+2] == 0 { // written by some programs
		end = len(r.b)
	}
	for at := start + 4; at+2 < end; {
		length, id := int(int8(r.b[at])), int(int8(r.b[at+1]))
		if length < 0 {
			length = -length // locked
		}
		if length == 0 || id == 0 {
			break
		}
		link := at + 2 + length
		if link+2 > end {
			return nil, fmt.Errorf("c3d: a parameter at byte %d is cut off", at)
		}
		name := strings.ToUpper(strings.TrimSpace(string(r.b[at+2 : link])))
		next := link + r.u16(link)
		if r.u16(link) == 0 {
			next = end
		}
		if id < 0 {
			names[-id] = name
		} else {
			p, err := r.parameter(link+2, end)
			if err != nil {
				return nil, fmt.Errorf("c3d: parameter %.40q: %w", name, err)
			}
			late = append(late, func() { out[names[id]+":"+name] = p })
		}
		if next <= at {
			return nil, fmt.Errorf("c3d: the parameters at byte %d go backwards", at)
		}
		at = next
	}
	for _, f := range late {
		f()
	}
	return out, nil
}

// parameter reads kind, dimensions and values.
func (r *reader) parameter(at, end int) (p parameter, err error) {
	if at+2 > end {
		return p, fmt.Errorf("cut off at byte %d", at)
	}
	size := int(int8(r.b[at]))
	if p.text = size == -1; p.text {
		size = 1
	}
	if size != 1 && size != 2 && size != 4 {
		return p, fmt.Errorf("values of %d bytes; legal: -1, 1, 2, 4", size)
	}
	n, count := int(r.b[at+1]), 1
	at += 2
	if n > 7 || at+n > end {
		return p, fmt.Errorf("%d dimensions; legal: 0 to 7", n)
	}
	for k := range n {
		p.dims = append(p.dims, int(r.b[at+k]))
		count *= int(r.b[at+k])
		if count > len(r.b) {
			break
		}
	}
	at += n
	if count*size > end-at {
		return p, fmt.Errorf("%d values do not fit into the file", count)
	}
	p.bytes = r.b[at : at+count*size]
	if p.text {
		return p, nil
	}
	for k := range count {
		switch size {
		case 1:
			p.numbers = append(p.numbers, float64(int8(r.b[at+k])))
		case 2:
			p.numbers = append(p.numbers, float64(int16(r.u16(at+2*k))))
		default:
			p.numbers = append(p.numbers, r.float(at+4*k))
		}
	}
	return p, nil
}

// number is the first number of a parameter. Counts of two bytes are taken as unsigned.
func (g groups) number(group, name string) (float64, bool) {
	p, ok := g[group+":"+name]
	if !ok || len(p.numbers) == 0 {
		return 0, false
	}
	v := p.numbers[0]
	if v < 0 && len(p.bytes) == 2*len(p.numbers) {
		v += 1 << 16
	}
	return v, true
}

// whole32 is a number that is kept as two words, the low one first.
func (g groups) whole32(group, name string) int {
	p := g[group+":"+name]
	if len(p.numbers) < 2 || len(p.bytes) != 2*len(p.numbers) {
		return 0
	}
	return int(uint16(int16(p.numbers[0]))) | int(uint16(int16(p.numbers[1])))<<16
}

func (g groups) text(group, name string) string { return string(g[group+":"+name].bytes) }

// labels are the names of the points. Those beyond 255 go on in LABELS2, LABELS3, ...
func (g groups) labels(points int) []string {
	var out []string
	for k := 1; k < 10 && len(out) < points; k++ {
		name := "LABELS"
		if k > 1 {
			name = fmt.Sprintf("LABELS%d", k)
		}
		p, ok := g["POINT:"+name]
		if !ok || len(p.dims) == 0 || p.dims[0] == 0 {
			break
		}
		for at := 0; at+p.dims[0] <= len(p.bytes); at += p.dims[0] {
			out = append(out, strings.TrimRight(string(p.bytes[at:at+p.dims[0]]), " \x00"))
		}
	}
	for len(out) < points {
		out = append(out, fmt.Sprintf("point %d", len(out)+1))
	}
	return out[:points]
}
