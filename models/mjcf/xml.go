package mjcf

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// maxIncludes bounds nested includes, so that a file that includes itself ends in an error.
const maxIncludes = 32

// node is one XML element. attr is merged with defaults before use.
type node struct {
	tag      string
	attr     map[string]string
	children []*node
	file     string
	line     int
}

// where names the element for an error: file, line, tag and name.
func (n *node) where() string {
	s := fmt.Sprintf("mjcf: %s:%d: <%s", n.file, n.line, n.tag)
	if v := n.attr["name"]; v != "" {
		s += fmt.Sprintf(" name=%q", v)
	}
	return s + ">"
}

func (n *node) fail(attr, why string) error {
	return fmt.Errorf("%s attribute %q: %q %s", n.where(), attr, n.attr[attr], why)
}

func (n *node) has(attr string) bool { _, ok := n.attr[attr]; return ok }

// floats reads at least lo numbers, and at most those that dst has room for, and returns how many there were; dst keeps its values where the
// attribute is absent.
func (n *node) floats(attr string, dst []float64, lo int) (int, error) {
	s, ok := n.attr[attr]
	if !ok {
		return 0, nil
	}
	words := strings.Fields(s)
	if len(words) < lo || len(words) > len(dst) {
		want := strconv.Itoa(lo)
		if lo != len(dst) {
			want = fmt.Sprintf("%d to %d", lo, len(dst))
		}
		return 0, n.fail(attr, fmt.Sprintf("has %d numbers, legal: %s", len(words), want))
	}
	for i, w := range words {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, n.fail(attr, fmt.Sprintf("has %q, legal: finite numbers", w))
		}
		dst[i] = v
	}
	return len(words), nil
}

func (n *node) float(attr string, def float64) (float64, error) {
	v := [1]float64{def}
	_, err := n.floats(attr, v[:], 1)
	return v[0], err
}

// list reads any number of numbers.
func (n *node) list(attr string) ([]float64, error) {
	out := make([]float64, len(strings.Fields(n.attr[attr])))
	_, err := n.floats(attr, out, len(out))
	return out, err
}

// tristate reads true, false or auto; auto means "true if a range is given" where the compiler allows it.
func (n *node) tristate(attr string, auto bool) (bool, error) {
	switch n.attr[attr] {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "", "auto":
		return auto, nil
	}
	return false, n.fail(attr, "is not legal; legal: true, false, auto")
}

// readXML parses the text into nodes and splices included files in place. fsys is nil where includes are impossible.
func readXML(file string, r io.Reader, fsys fs.FS) (*node, error) {
	root, err := readTree(file, r)
	if err != nil {
		return nil, err
	}
	if root.tag != "mujoco" {
		return nil, fmt.Errorf("mjcf: %s:%d: the outermost element is <%s>, legal: <mujoco>", file, root.line, root.tag)
	}
	left := maxIncludes
	return root, splice(root, path.Dir(file), fsys, &left)
}

func readTree(file string, r io.Reader) (*node, error) {
	dec := xml.NewDecoder(r)
	var stack []*node
	var root *node
	limits := &bounds{file: file}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := dec.InputPos()
		if err != nil {
			return nil, fmt.Errorf("mjcf: %s:%d: not well-formed XML: %w", file, line, err)
		}
		if err := limits.token(tok, line); err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			n := &node{tag: t.Name.Local, attr: make(map[string]string, len(t.Attr)), file: file, line: line}
			for _, a := range t.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				p := stack[len(stack)-1]
				p.children = append(p.children, n)
			} else if root == nil {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	if root == nil {
		return nil, fmt.Errorf("mjcf: %s: no element in the file, legal: one <mujoco>", file)
	}
	return root, nil
}

func splice(n *node, dir string, fsys fs.FS, left *int) error {
	var out []*node
	for _, c := range n.children {
		if c.tag != "include" {
			if err := splice(c, dir, fsys, left); err != nil {
				return err
			}
			out = append(out, c)
			continue
		}
		if fsys == nil {
			return c.fail("file", "cannot be included from a text without a folder; put it all into one file")
		}
		if *left--; *left < 0 {
			return c.fail("file", fmt.Sprintf("is the %dth include; does the file include itself?", maxIncludes+1))
		}
		// MuJoCo resolves includes against the folder of the main file, not of the including one.
		p := path.Join(dir, c.attr["file"])
		f, err := fsys.Open(p)
		if err != nil {
			return c.fail("file", "cannot be opened: "+err.Error())
		}
		sub, err := readTree(p, f)
		f.Close()
		if err != nil {
			return err
		}
		if err := splice(sub, dir, fsys, left); err != nil {
			return err
		}
		out = append(out, sub.children...)
	}
	n.children = out
	return nil
}
