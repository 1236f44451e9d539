package mjcf

import (
	"fmt"
	"sort"
	"strings"
)

// defaults maps class name -> element tag -> attributes, each class already merged with its parents.
type defaults map[string]map[string]map[string]string

// actuatorTags share one set of defaults in MuJoCo, whichever of them the file uses to set it.
var actuatorTags = [...]string{"general", "motor", "position", "velocity", "intvelocity", "damper", "cylinder", "muscle", "adhesion"}

func isActuator(tag string) bool {
	for _, t := range actuatorTags {
		if t == tag {
			return true
		}
	}
	return false
}

func readDefaults(root *node) (defaults, error) {
	d := defaults{"main": {}}
	for _, c := range root.children {
		if c.tag != "default" {
			continue
		}
		name := c.attr["class"]
		if name == "" {
			name = "main"
		}
		if err := d.read(c, name, d["main"]); err != nil {
			return nil, err
		}
		if name != "main" { // the outermost class is the one that applies everywhere, whatever it is called
			d["main"] = d[name]
		}
	}
	return d, nil
}

func (d defaults) read(n *node, name string, parent map[string]map[string]string) error {
	own := make(map[string]map[string]string, len(parent))
	for tag, attrs := range parent {
		own[tag] = attrs
	}
	d[name] = own
	for _, c := range n.children {
		if c.tag == "default" {
			continue
		}
		tags := []string{c.tag}
		if isActuator(c.tag) {
			tags = actuatorTags[:]
		}
		for _, tag := range tags {
			own[tag] = merge(own[tag], c.attr)
		}
	}
	for _, c := range n.children {
		if c.tag != "default" {
			continue
		}
		if c.attr["class"] == "" {
			return fmt.Errorf("%s: a nested default needs a class", c.where())
		}
		if _, dup := d[c.attr["class"]]; dup {
			return c.fail("class", "is defined twice")
		}
		if err := d.read(c, c.attr["class"], own); err != nil {
			return err
		}
	}
	return nil
}

// orientations are the alternatives of which an element uses one; a given one silences inherited ones.
var orientations = [...]string{"quat", "euler", "axisangle", "xyaxes", "zaxis"}

func merge(base, over map[string]string) map[string]string {
	out := make(map[string]string, len(base)+len(over))
	for k, v := range base {
		out[k] = v
	}
	for _, o := range orientations {
		if _, ok := over[o]; ok {
			for _, p := range orientations {
				delete(out, p)
			}
			break
		}
	}
	for k, v := range over {
		if padded[k] {
			v = pad(v, base[k])
		}
		out[k] = v
	}
	return out
}

// padded names the attributes of which an element may give the first numbers only; the others stay those of its class.
var padded = map[string]bool{"size": true, "friction": true, "gear": true, "gainprm": true, "biasprm": true}

// pad appends to the numbers of one text those of another that it has no like for.
func pad(v, base string) string {
	own, inherited := strings.Fields(v), strings.Fields(base)
	if len(inherited) <= len(own) {
		return v
	}
	return v + " " + strings.Join(inherited[len(own):], " ")
}

// resolve returns the element with the attributes of its class filled in. childclass is that of the nearest body.
func (d defaults) resolve(n *node, childclass string) (*node, error) {
	class := n.attr["class"]
	if class == "" {
		class = childclass
	}
	if class == "" {
		class = "main"
	}
	tags, ok := d[class]
	if !ok {
		return nil, n.fail("class", fmt.Sprintf("(class %q) is not defined; defined: %s", class, d.names()))
	}
	tag := n.tag
	if tag == "freejoint" { // by MuJoCo's rule a freejoint takes no defaults
		return n, nil
	}
	r := *n
	r.attr = merge(tags[tag], n.attr)
	delete(r.attr, "class")
	return &r, nil
}

func (d defaults) names() string {
	var s []string
	for k := range d {
		s = append(s, k)
	}
	sort.Strings(s)
	return strings.Join(s, ", ")
}
