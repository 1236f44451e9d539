package bvh

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/mitori-robotics/mitori/models/human"
)

// limb is a chain of three joints that a file must have on both sides, from the trunk outwards, with the names that
// each goes by (without side, prefix, case and separators), the surest first: where a file has both a "shoulder" and an
// "arm", the shoulder is the collar bone, and where it has an "ankle" and a "foot", the foot is the toes.
type limb struct {
	joints [3]human.Joint // on the left
	names  [3][]string
}

var limbs = [2]limb{
	{[3]human.Joint{human.LShoulder, human.LElbow, human.LWrist}, [3][]string{
		{"upperarm", "uparm", "arm", "shldr", "shldrbend", "humerus", "shoulder"},
		{"forearm", "lowerarm", "lowarm", "elbow", "forearmbend", "radius"},
		{"wrist", "hand"},
	}},
	{[3]human.Joint{human.LHip, human.LKnee, human.LAnkle}, [3][]string{
		{"upleg", "upperleg", "thigh", "thighbend", "femur", "hip"},
		{"leg", "lowerleg", "lowleg", "shin", "calf", "knee", "tibia"},
		{"ankle", "foot"},
	}},
}

var headNames = []string{"head", "chead"}

// prefixes are what programs put before every name without a separator that would betray it.
var prefixes = regexp.MustCompile(`(?i)^(mixamorig\d*[-_ .:]*|(valvebiped\.)?bip\d+[-_ .:]*|(j_bip|[mf]_avg|def|org|bn)[-_ .:]+)`)

// sideWords are the words that tell the side.
var sideWords = map[string]int{"left": 0, "l": 0, "lft": 0, "right": 1, "r": 1, "rt": 1, "rgt": 1}

// part is what a name says: the side of the body (0 left, 1 right, -1 neither) and the part, for example "upperarm".
type part struct {
	side int
	name string
}

// commonPrefix returns the longest beginning that ends with a separator and is shared by most of the joints below a root.
func (f *File) commonPrefix(root int) string {
	count := map[string]int{}
	n := 0
	for i := range f.Joints {
		if f.isEnd(i) || !f.below(root, i) {
			continue
		}
		n++
		for k, c := range f.Joints[i].Name {
			if k > 0 && strings.ContainsRune("_.:| -", c) {
				count[f.Joints[i].Name[:k+1]]++
			}
		}
	}
	best := ""
	for p, c := range count { // prefixes of one name, so the longest is the same in any order
		if 10*c >= 7*n && len(p) > len(best) {
			best = p
		}
	}
	return best
}

func (f *File) isEnd(i int) bool { return strings.HasSuffix(f.Joints[i].Name, "/end") }

// words splits a name at separators, at digits and where a capital begins a word, without digits, in small letters.
func words(name string) []string {
	var out []string
	var w []rune
	flush := func() {
		if len(w) > 0 {
			out = append(out, strings.ToLower(string(w)))
		}
		w = w[:0]
	}
	rs := []rune(name)
	for i, c := range rs {
		switch {
		case !unicode.IsLetter(c):
			flush()
			continue
		case unicode.IsUpper(c) && i > 0 && (unicode.IsLower(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])):
			flush()
		}
		w = append(w, c)
	}
	flush()
	return out
}

// known reports whether a part is one of the names that are looked for.
func known(name string) bool {
	for _, l := range limbs {
		for _, list := range l.names {
			if slices.Contains(list, name) {
				return true
			}
		}
	}
	return false
}

// PartOf takes the name of a joint or of a point on the body apart: the part in small letters without separators
// ("bigtoe"), and its side: 0 left, 1 right, -1 neither.
func PartOf(name string) (words string, side int) {
	p := read(name, "")
	return p.name, p.side
}

// read takes a joint's name apart.
func read(name, prefix string) part {
	name = strings.TrimPrefix(name, prefix)
	if i := strings.LastIndexAny(name, ":|"); i >= 0 {
		name = name[i+1:]
	}
	ws := words(prefixes.ReplaceAllString(name, ""))
	if len(ws) == 0 {
		return part{-1, ""}
	}
	for _, i := range [2]int{0, len(ws) - 1} {
		if side, ok := sideWords[ws[i]]; ok && len(ws) > 1 {
			return part{side, strings.Join(slices.Delete(ws, i, i+1), "")}
		}
	}
	whole := strings.Join(ws, "")
	for side, long := range [2]string{"left", "right"} {
		for _, p := range [2]string{long, long[:1]} { // "leftarm", "lfemur"
			if rest, ok := strings.CutPrefix(whole, p); ok && known(rest) {
				return part{side, rest}
			}
		}
	}
	return part{-1, whole}
}

// identify finds the joint of the file for every human joint that must be in it, below one root; the others stay -1.
// given names joints of the file for human joints, before all rules. missing lists what was not found and why.
func (f *File) identify(root int, given map[human.Joint]int) (at [human.NumJoints]int, missing []string) {
	prefix := f.commonPrefix(root)
	byPart := map[part]int{}
	for i := len(f.Joints) - 1; i >= 0; i-- { // of two with the same name, the first
		if !f.isEnd(i) && f.below(root, i) {
			byPart[read(f.Joints[i].Name, prefix)] = i
		}
	}
	candidates := func(j human.Joint, side int, names []string) []int {
		if i, ok := given[j]; ok && f.below(root, i) {
			return []int{i}
		}
		var out []int
		for _, n := range names {
			if i, ok := byPart[part{side, n}]; ok {
				out = append(out, i)
			}
		}
		return out
	}
	for j := range at {
		at[j] = -1
		if i, ok := given[human.Joint(j)]; ok && f.below(root, i) {
			at[j] = i
		}
	}
	if c := candidates(human.Head, -1, headNames); len(c) > 0 {
		at[human.Head] = c[0]
	} else {
		missing = append(missing, fmt.Sprintf("%s (names tried: %s)", human.Head, headNames[0]))
	}
	for _, l := range limbs {
		for side := range 2 {
			missing = append(missing, f.identifyLimb(l, side, candidates, &at)...)
		}
	}
	return at, missing
}

// identifyLimb finds the first three candidates of which each hangs on the one before.
func (f *File) identifyLimb(l limb, side int, candidates func(human.Joint, int, []string) []int, at *[human.NumJoints]int) (missing []string) {
	var joints [3]human.Joint
	var found [3][]int
	for k, j := range l.joints {
		if joints[k] = j; side == 1 {
			joints[k] = j.Mirror()
		}
		if found[k] = candidates(joints[k], side, l.names[k]); len(found[k]) == 0 {
			missing = append(missing, fmt.Sprintf("%s (names tried: %s with %s)", joints[k], strings.Join(l.names[k], ", "), [2]string{"left or l", "right or r"}[side]))
		}
	}
	if len(missing) > 0 {
		return missing
	}
	for _, a := range found[0] {
		for _, b := range found[1] {
			for _, c := range found[2] {
				if a != b && b != c && f.below(a, b) && f.below(b, c) {
					at[joints[0]], at[joints[1]], at[joints[2]] = a, b, c
					return nil
				}
			}
		}
	}
	name := func(k int) string { return f.Joints[found[k][0]].Name }
	return []string{fmt.Sprintf("%s, %s, %s (%q, %q and %q do not hang on each other)", joints[0], joints[1], joints[2], name(0), name(1), name(2))}
}

// below reports whether i is a or hangs on it.
func (f *File) below(a, i int) bool {
	for ; i >= 0; i = f.Joints[i].Parent {
		if i == a {
			return true
		}
	}
	return false
}

// mappable are the human joints that a map may name: those that must be in a file, and those that may.
var mappable = []human.Joint{human.Head, human.LShoulder, human.LElbow, human.LWrist, human.LHand, human.RShoulder, human.RElbow, human.RWrist, human.RHand,
	human.LHip, human.LKnee, human.LAnkle, human.LToe, human.RHip, human.RKnee, human.RAnkle, human.RToe}

// resolve turns a map of names (human joint to joint of the file) into indices.
func (f *File) resolve(names map[string]string) (map[human.Joint]int, error) {
	out := map[human.Joint]int{}
	var faults []string
	for key, name := range names {
		j := slices.IndexFunc(mappable, func(j human.Joint) bool { return j.String() == key })
		if j < 0 {
			var legal []string
			for _, m := range mappable {
				legal = append(legal, m.String())
			}
			faults = append(faults, fmt.Sprintf("%q is no joint of a person that can be mapped; legal: %s", key, strings.Join(legal, ", ")))
			continue
		}
		i := slices.IndexFunc(f.Joints, func(j Joint) bool { return j.Name == name })
		if i < 0 {
			i = slices.IndexFunc(f.Joints, func(j Joint) bool { return strings.EqualFold(j.Name, name) })
		}
		if i < 0 {
			faults = append(faults, fmt.Sprintf("%s=%s: the file has no joint %q; it has: %s", key, name, name, f.names()))
			continue
		}
		out[mappable[j]] = i
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		return nil, fmt.Errorf("bvh: %w: the map: %s", ErrOption, strings.Join(faults, "; "))
	}
	return out, nil
}

// names lists the joints of the file, in its order.
func (f *File) names() string {
	const most = 80
	var out []string
	for i := range f.Joints {
		if !f.isEnd(i) {
			out = append(out, f.Joints[i].Name)
		}
	}
	if len(out) > most {
		out = append(out[:most], fmt.Sprintf("and %d more", len(out)-most))
	}
	return strings.Join(out, ", ")
}

// person finds the one root below which a whole person hangs.
func (f *File) person(names map[string]string) (at [human.NumJoints]int, err error) {
	given, err := f.resolve(names)
	if err != nil {
		return at, err
	}
	var missing []string
	var whole, roots []string
	for i := range f.Joints {
		if f.Joints[i].Parent >= 0 {
			continue
		}
		roots = append(roots, f.Joints[i].Name)
		got, lacks := f.identify(i, given)
		if len(lacks) == 0 {
			at = got
			whole = append(whole, f.Joints[i].Name)
		} else if missing == nil || len(lacks) < len(missing) {
			missing = lacks
		}
	}
	switch {
	case len(whole) == 1:
		return at, nil
	case len(whole) > 1:
		return at, fmt.Errorf("bvh: %w: %d people in one file (roots %s); write one file for each", ErrAmbiguous, len(whole), strings.Join(whole, ", "))
	}
	under := ""
	if len(roots) > 1 {
		under = fmt.Sprintf(" below any of the roots %s", strings.Join(roots, ", "))
	}
	return at, fmt.Errorf("bvh: no joint for %s%s; the file has: %s; name the missing ones with --map, for example --map l_elbow=NAME,head=NAME",
		strings.Join(missing, "; "), under, f.names())
}
