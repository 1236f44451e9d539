package strictyaml

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Edit is a new value for a key of one entry of a top-level list of mappings.
type Edit struct {
	List       string
	Index      int
	Key, Value string // a plain scalar
}

// splice is a piece of text to put in the place of another.
type splice struct {
	at, end int // bytes
	text    string
}

// Apply returns text with other values; every other byte, comments too, stays as it is. A
// key that an entry lacks is added behind its first one.
func Apply(text []byte, edits []Edit) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, ErrEmpty
	}
	var all []splice
	for _, e := range edits {
		entry, err := entryOf(doc.Content[0], e)
		if err != nil {
			return nil, err
		}
		s, err := spliceOf(text, entry, e)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	// From the end, so that places stay; among insertions at one place the first edit first.
	slices.SortStableFunc(all, func(a, b splice) int { return cmp.Compare(a.at, b.at) })
	out := slices.Clone(text)
	for _, s := range slices.Backward(all) {
		out = slices.Concat(out[:s.at], []byte(s.text), out[s.end:])
	}
	return out, nil
}

// entryOf finds the mapping that is to be edited.
func entryOf(root *yaml.Node, e Edit) (*yaml.Node, error) {
	list := valueOf(root, e.List)
	if list == nil || list.Kind != yaml.SequenceNode || e.Index < 0 || e.Index >= len(list.Content) {
		return nil, fmt.Errorf("%s: no entry %d", e.List, e.Index)
	}
	entry := list.Content[e.Index]
	if entry.Kind != yaml.MappingNode || len(entry.Content) < 2 {
		return nil, fmt.Errorf("line %d: %s: not a mapping", entry.Line, e.List)
	}
	return entry, nil
}

// valueOf is the value of a key, nil where there is none.
func valueOf(m *yaml.Node, key string) *yaml.Node {
	if m.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if m.Content[i].Value == key {
				return m.Content[i+1]
			}
		}
	}
	return nil
}

// spliceOf says where in the text an edit takes place.
func spliceOf(text []byte, entry *yaml.Node, e Edit) (splice, error) {
	if v := valueOf(entry, e.Key); v != nil {
		at, err := plainAt(text, v)
		if err != nil {
			return splice{}, fmt.Errorf("%s.%s: %w", e.List, e.Key, err)
		}
		return splice{at, at + len(v.Value), e.Value}, nil
	}
	key, first := entry.Content[0], entry.Content[1]
	at, err := plainAt(text, first)
	if err != nil {
		return splice{}, fmt.Errorf("%s.%s: %w", e.List, key.Value, err)
	}
	at += len(first.Value)
	if entry.Style&yaml.FlowStyle != 0 {
		return splice{at, at, fmt.Sprintf(", %s: %s", e.Key, e.Value)}, nil
	}
	if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
		at += n
	} else {
		at = len(text)
	}
	return splice{at, at, fmt.Sprintf("\n%s%s: %s", strings.Repeat(" ", key.Column-1), e.Key, e.Value)}, nil
}

// plainAt is where in the text a scalar stands, which must be written as it is meant.
func plainAt(text []byte, n *yaml.Node) (at int, err error) {
	for line := 1; line < n.Line; line++ {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return 0, fmt.Errorf("line %d: not in the text", n.Line)
		}
		at += next + 1
	}
	rest := text[at:]
	for range n.Column - 1 { // columns are characters
		_, size := utf8.DecodeRune(rest)
		at, rest = at+size, rest[size:]
	}
	if n.Kind != yaml.ScalarNode || !bytes.HasPrefix(rest, []byte(n.Value)) || n.Value == "" {
		return 0, fmt.Errorf("line %d: only a plain value can be changed in place, such as 0.5", n.Line)
	}
	return at, nil
}
