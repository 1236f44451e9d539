// Package strictyaml reads configuration files that people write: one document,
// known keys only, whole numbers where whole numbers belong, finite numbers
// everywhere, and no control characters, which would reach a terminal. It
// reports every fault at once, each with its line.
//
// What is not here: which values make sense; that is each file's own business.
// A Document is read-only and may be shared.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// ErrEmpty is returned for a file without a document.
var ErrEmpty = errors.New("the file is empty")

// Document knows where in the text things stand.
type Document struct {
	root   *yaml.Node
	faults Faults
	broken bool
}

// Faults lists what is wrong with the document, one sentence each. What is added to it stays the caller's.
func (d *Document) Faults() Faults { return slices.Clone(d.faults) }

// Broken reports that values are missing because their text could not be
// decoded: their zeros in the result say nothing.
func (d *Document) Broken() bool { return d.broken }

// Decode reads text into the struct that dst points to. The error is for text
// that is no YAML at all, or empty; everything else is among the Faults, and dst
// holds what could be read.
func Decode(text []byte, dst any) (*Document, error) {
	d := &Document{}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	err := dec.Decode(dst)
	var te *yaml.TypeError
	switch {
	case errors.As(err, &te):
		for _, e := range te.Errors {
			d.faults = append(d.faults, strings.Map(visible, e)) // they quote the text
			d.broken = d.broken || strings.Contains(e, "cannot unmarshal")
		}
	case errors.Is(err, io.EOF):
		return nil, ErrEmpty
	case err != nil:
		return nil, err
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		d.faults = append(d.faults, fmt.Sprintf("line %d: a second document; legal: one, without a line of ---", max(more.Line, 1)))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) > 0 {
		d.root = doc.Content[0]
		d.walk(d.root, reflect.TypeOf(dst).Elem(), "")
	}
	return d, nil
}

func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

// walk compares the nodes with the types that they go to; key names the way.
func (d *Document) walk(n *yaml.Node, t reflect.Type, key string) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n.Kind {
	case yaml.AliasNode: // following larger ones would let a small file grow without end
		if n.Alias.Kind == yaml.ScalarNode {
			d.scalar(n.Alias, t, key)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			d.scalar(name, nil, key)
			d.walk(n.Content[i+1], valueType(t, name.Value), join(key, name.Value))
		}
	case yaml.SequenceNode:
		var e reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			e = t.Elem()
		}
		for _, c := range n.Content {
			d.walk(c, e, key)
		}
	case yaml.ScalarNode:
		d.scalar(n, t, key)
	}
}

// scalar judges one value.
func (d *Document) scalar(n *yaml.Node, t reflect.Type, key string) {
	fault := func(format string, args ...any) {
		d.faults.Check(false, "line %d: %s", n.Line, fmt.Sprintf(format, args...))
	}
	if i := strings.IndexFunc(n.Value, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		fault("%s: %q holds a control character; legal: printable text", key, n.Value)
	}
	var v float64
	if n.Tag != "!!float" || n.Decode(&v) != nil {
		return
	}
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		fault("%s: %s; legal: a finite number", key, n.Value)
	case t != nil && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && v != math.Trunc(v):
		fault("%s: %s; legal: a whole number", key, n.Value)
	}
}

// valueType is the type behind a key, or nil where there is none.
func valueType(t reflect.Type, key string) reflect.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() != reflect.Struct:
		return nil
	}
	for f := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(f).Tag.Get("yaml"), ","); name == key {
			return t.Field(f).Type
		}
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Line is the line of the i-th entry of the sequence under a top-level key, or 0.
func (d *Document) Line(key string, i int) int {
	if d.root == nil || d.root.Kind != yaml.MappingNode {
		return 0
	}
	for k := 0; k+1 < len(d.root.Content); k += 2 {
		if seq := d.root.Content[k+1]; d.root.Content[k].Value == key && i < len(seq.Content) {
			return seq.Content[i].Line
		}
	}
	return 0
}

// LineOf is the line of the value under a path of keys, or of the last key on the way that is there; 0 if none is.
func (d *Document) LineOf(path ...string) (line int) {
	n := d.root
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return line
		}
		i := 0
		for i+1 < len(n.Content) && n.Content[i].Value != key {
			i += 2
		}
		if i+1 >= len(n.Content) {
			return line
		}
		line, n = n.Content[i].Line, n.Content[i+1]
	}
	return line
}
