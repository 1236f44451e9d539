package mjcf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Limits on a file, against ones that would fill the memory or never end. Real
// robots have a few hundred elements; 500 is also MuJoCo's own limit of nesting.
const (
	maxDepth    = 500
	maxElements = 100_000
)

// bound is a range that every number of an attribute must be in.
type bound struct{ low, high float64 }

// bounded lists the numbers that decide how much memory and time a model takes, or
// that physics is nonsense with.
var bounded = map[string]map[string]bound{
	"option": {
		"timestep":   {math.SmallestNonzeroFloat64, 0.1},
		"iterations": {0, 10000}, "ls_iterations": {0, 10000}, "noslip_iterations": {0, 10000},
		"ccd_iterations": {0, 10000}, "sdf_iterations": {0, 10000}, "sdf_initpoints": {0, 10000},
	},
	"hfield":    {"nrow": {0, 4096}, "ncol": {0, 4096}},
	"texture":   {"width": {0, 4096}, "height": {0, 4096}, "nchannel": {0, 4}},
	"replicate": {"count": {0, maxElements}},
	"composite": {"count": {0, maxElements}},
	"flexcomp":  {"count": {0, maxElements}},
	"size": {
		"njmax": {-1, 1e6}, "nconmax": {-1, 1e6}, "nstack": {-1, 1e8}, "nuserdata": {0, 1e6}, "nkey": {0, 1e4},
		"nuser_body": {-1, 1e3}, "nuser_jnt": {-1, 1e3}, "nuser_geom": {-1, 1e3}, "nuser_site": {-1, 1e3}, "nuser_cam": {-1, 1e3},
		"nuser_tendon": {-1, 1e3}, "nuser_actuator": {-1, 1e3}, "nuser_sensor": {-1, 1e3},
	},
}

// maxArenaBytes bounds <size memory>.
const maxArenaBytes = 1 << 30

// CheckBounds reports what in a model's text goes beyond all bounds: nesting, number
// of elements, sizes of what the physics engine allocates, and its time step. It
// does not say that the text is a legal model. name is used in errors.
func CheckBounds(name string, text []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(text))
	b := &bounds{file: name}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := dec.InputPos()
		if err != nil {
			return fmt.Errorf("mjcf: %s:%d: not well-formed XML: %w", name, line, err)
		}
		if err := b.token(tok, line); err != nil {
			return err
		}
	}
}

// bounds watches the tokens of one file.
type bounds struct {
	file     string
	weights  []float64 // of the open elements: how often what is inside will be there
	elements float64
}

func (b *bounds) token(tok xml.Token, line int) error {
	switch t := tok.(type) {
	case xml.StartElement:
		return b.start(&t, line)
	case xml.EndElement:
		b.weights = b.weights[:len(b.weights)-1]
	}
	return nil
}

func (b *bounds) start(t *xml.StartElement, line int) error {
	weight := 1.0
	if n := len(b.weights); n > 0 {
		weight = b.weights[n-1]
	}
	for _, a := range t.Attr {
		product, err := check(t.Name.Local, a.Name.Local, a.Value)
		if err != nil {
			return fmt.Errorf("mjcf: %s:%d: <%.40s> attribute %q: %w", b.file, line, t.Name.Local, a.Name.Local, err)
		}
		if a.Name.Local == "count" {
			weight *= max(product, 1)
		}
	}
	b.weights = append(b.weights, weight)
	if len(b.weights) > maxDepth {
		return fmt.Errorf("mjcf: %s:%d: elements inside one another %d deep; legal: at most %d", b.file, line, len(b.weights), maxDepth)
	}
	if b.elements += weight; b.elements > maxElements {
		return fmt.Errorf("mjcf: %s:%d: more than %d elements, repeated ones counted", b.file, line, maxElements)
	}
	return nil
}

// check reports a number out of bounds, and returns the product of all numbers of a
// bounded attribute.
func check(tag, attr, value string) (product float64, err error) {
	if tag == "size" && attr == "memory" {
		return 0, checkMemory(value)
	}
	limit, ok := bounded[tag][attr]
	if !ok {
		return 1, nil
	}
	product = 1
	for _, word := range strings.Fields(value) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil || !(v >= limit.low && v <= limit.high) {
			low := strconv.FormatFloat(limit.low, 'g', -1, 64) + " to"
			if limit.low > 0 {
				low = "above 0, at most"
			}
			return 0, fmt.Errorf("%.40q; legal: %s %g", word, low, limit.high)
		}
		product *= v
	}
	return product, nil
}

// checkMemory reads a size such as 100M.
func checkMemory(value string) error {
	digits := strings.TrimSpace(value)
	unit := int64(1)
	if n := len(digits); n > 0 {
		if i := strings.IndexByte("KMG", digits[n-1]); i >= 0 {
			digits, unit = digits[:n-1], int64(1)<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < -1 || n > maxArenaBytes/unit {
		return fmt.Errorf("%.40q; legal: a size of at most 1G", value)
	}
	return nil
}
