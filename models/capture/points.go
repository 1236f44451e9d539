// Package capture reads motion capture that is not BVH, and brings it into the form of a BVH file (package models/bvh),
// which then does what all captures need: which axis is up, how tall, where the feet stand.
//
// There are two kinds. Points in space, with names and gaps: TRC, C3D (package models/c3d), arrays of joint positions.
// And rotations of a known skeleton: SMPL poses as AMASS keeps them, and DeepMimic. Nothing of the SMPL body model is in
// here: its rotations move a skeleton with an average adult's proportions.
//
// Everything is plain data, nothing is kept between calls.
package capture

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// ErrUnnamed is wrapped where points that must be there have none of the known names.
var ErrUnnamed = errors.New("points without a known name")

// Points are named points over time.
type Points struct {
	Names  []string
	FPS    float64
	UnitM  float64          // m per unit
	Frames [][]spatial.Vec3 // in the order of the names; NaN where a point was not seen
	Notes  []string         // what was odd, for people
}

// Bridging of points that were not seen.
const (
	bridgeS = 0.5 // gaps up to this are bridged in a straight line; in longer ones the point rests where it was
	leastOf = 0.5 // a point must be seen in this share of the frames
)

// rig places the points that matter: index into the frames, -1 where there is none.
type rig struct {
	p    *Points
	at   map[human.Joint]int
	ears [2]int
}

// known are the names that points go by, without side, case and separators, the surest first.
var known = map[human.Joint][]string{
	human.Head:      {"head", "headcenter", "headcentre", "skull"},
	human.Nose:      {"nose"},
	human.LShoulder: {"shoulder", "shoulderjointcenter", "sjc", "arm", "upperarm"},
	human.LElbow:    {"elbow", "elbowjointcenter", "ejc", "forearm", "lowerarm"},
	human.LWrist:    {"wrist", "wristjointcenter", "wjc"},
	human.LHand:     {"hand", "middle", "middlefinger", "knuckle"},
	human.LHip:      {"hip", "hipjointcenter", "hjc", "upleg", "thigh"},
	human.LKnee:     {"knee", "kneejointcenter", "kjc", "leg", "shin"},
	human.LAnkle:    {"ankle", "anklejointcenter", "ajc"},
	human.LHeel:     {"heel", "calc"},
	human.LToe:      {"bigtoe", "toe", "toes", "toebase", "footindex", "foot"},
}

// File builds a skeleton through the points, with the notes of reading them. given names points for human joints
// (those of bvh.Options.Map). invented tells for every frame which joints were not seen in it. Without heightM the
// person's own is taken from the legs.
func (p *Points) File(given map[string]string, heightM float64) (f *bvh.File, invented func(frame int, j human.Joint) bool, tall float64, err error) {
	r, err := p.rig(given)
	if err != nil {
		return nil, nil, 0, err
	}
	unseen := p.bridge(r.used())
	if err := p.enough(r, unseen); err != nil {
		return nil, nil, 0, err
	}
	f, err = r.build()
	if err != nil {
		return nil, nil, 0, err
	}
	f.Notes = p.Notes
	if heightM == 0 {
		heightM = r.legs() * p.UnitM / bvh.LegShare
	}
	return f, func(t int, j human.Joint) bool {
		i, ok := r.at[j]
		return ok && unseen[i] != nil && unseen[i][t]
	}, heightM, nil
}

// rig finds the points by their names.
func (p *Points) rig(given map[string]string) (*rig, error) {
	r := &rig{p: p, at: map[human.Joint]int{}, ears: [2]int{-1, -1}}
	parts := map[[2]string]int{}
	for i := len(p.Names) - 1; i >= 0; i-- { // of two with the same name, the first
		part, side := bvh.PartOf(p.Names[i])
		parts[[2]string{sides[side+1], part}] = i
	}
	find := func(side string, names ...string) int {
		for _, n := range names {
			if i, ok := parts[[2]string{side, n}]; ok {
				return i
			}
		}
		return -1
	}
	for j, names := range known {
		if j == human.Head || j == human.Nose {
			r.set(j, find("", names...))
			continue
		}
		r.set(j, find("left", names...))
		r.set(j.Mirror(), find("right", names...))
	}
	r.ears = [2]int{find("left", "ear"), find("right", "ear")}
	if err := r.override(given); err != nil {
		return nil, err
	}
	if missing := r.missing(); len(missing) > 0 {
		return nil, fmt.Errorf("%w: no point for %s; the file has: %s; name the missing ones with --map, for example --map l_elbow=NAME",
			ErrUnnamed, strings.Join(missing, ", "), p.list())
	}
	return r, nil
}

// sides are the words behind the numbers of bvh.PartOf, from -1.
var sides = [3]string{"", "left", "right"}

func (r *rig) set(j human.Joint, i int) {
	if i >= 0 {
		r.at[j] = i
	}
}

// override takes what the caller names.
func (r *rig) override(given map[string]string) error {
	for _, key := range slices.Sorted(keys(given)) {
		j := slices.Index(human.JointNames(), key)
		if j < 0 {
			return fmt.Errorf("%w: the map: %q is no joint of a person; legal: %s", bvh.ErrOption, key, strings.Join(human.JointNames(), ", "))
		}
		i := slices.IndexFunc(r.p.Names, func(n string) bool { return strings.EqualFold(n, given[key]) })
		if i < 0 {
			return fmt.Errorf("%w: the map: %s=%s: the file has no point %q; it has: %s", bvh.ErrOption, key, given[key], given[key], r.p.list())
		}
		r.at[human.Joint(j)] = i
	}
	return nil
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// missing lists the joints that must be there and are not.
func (r *rig) missing() (out []string) {
	for _, j := range needed {
		if _, ok := r.at[j]; !ok {
			out = append(out, j.String())
		}
	}
	_, head := r.at[human.Head]
	_, nose := r.at[human.Nose]
	if !head && !nose && (r.ears[0] < 0 || r.ears[1] < 0) {
		out = append(out, human.Head.String())
	}
	return out
}

// used lists the points that matter.
func (r *rig) used() (out []int) {
	for j := range human.Joint(human.NumJoints) {
		if i, ok := r.at[j]; ok {
			out = append(out, i)
		}
	}
	for _, i := range r.ears {
		if i >= 0 {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// list names the points, so many as fit into a message.
func (p *Points) list() string {
	const most = 80
	if len(p.Names) <= most {
		return strings.Join(p.Names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(p.Names[:most], ", "), len(p.Names)-most)
}

func seen(v spatial.Vec3) bool { return !math.IsNaN(v[0]) && !math.IsNaN(v[1]) && !math.IsNaN(v[2]) }

// bridge fills the gaps of the given points and tells which frames were gaps.
func (p *Points) bridge(which []int) map[int][]bool {
	unseen := map[int][]bool{}
	for _, i := range which {
		gaps := make([]bool, len(p.Frames))
		last := -1
		for t := 0; t < len(p.Frames); t++ {
			if seen(p.Frames[t][i]) {
				last = t
				continue
			}
			next := t
			for next < len(p.Frames) && !seen(p.Frames[next][i]) {
				gaps[next] = true
				next++
			}
			p.fill(i, last, next)
			t = next - 1
		}
		if slices.Contains(gaps, true) {
			unseen[i] = gaps
		}
	}
	return unseen
}

// fill sets point i between the frames from and to, in which it was seen; -1 and the end are no such frames.
func (p *Points) fill(i, from, to int) {
	for t := from + 1; t < to; t++ {
		switch {
		case from < 0 && to == len(p.Frames): // never seen
		case from < 0:
			p.Frames[t][i] = p.Frames[to][i]
		case to == len(p.Frames) || float64(to-from) > bridgeS*p.FPS && t-from < to-t:
			p.Frames[t][i] = p.Frames[from][i]
		case float64(to-from) > bridgeS*p.FPS:
			p.Frames[t][i] = p.Frames[to][i]
		default:
			p.Frames[t][i] = p.Frames[from][i].Lerp(p.Frames[to][i], float64(t-from)/float64(to-from))
		}
	}
}

// needed are the joints without which there is no person.
var needed = [...]human.Joint{human.LShoulder, human.LElbow, human.LWrist, human.RShoulder, human.RElbow, human.RWrist,
	human.LHip, human.LKnee, human.LAnkle, human.RHip, human.RKnee, human.RAnkle}

// enough refuses points that are hardly ever seen, or leaves them out where a person can do without; it notes those that
// have gaps.
func (p *Points) enough(r *rig, unseen map[int][]bool) error {
	share := func(i int) float64 {
		n := 0
		for _, g := range unseen[i] {
			if g {
				n++
			}
		}
		return float64(n) / float64(len(p.Frames))
	}
	var rare, holes, out []string
	for j := range human.Joint(human.NumJoints) {
		i, ok := r.at[j]
		if !ok || 1-share(i) >= leastOf {
			continue
		}
		said := fmt.Sprintf("%s (seen in %.0f %%)", p.Names[i], 100*(1-share(i)))
		if slices.Contains(needed[:], j) || j == human.Head {
			rare = append(rare, said)
			continue
		}
		delete(r.at, j)
		out = append(out, said)
	}
	if max(share(max(r.ears[0], 0)), share(max(r.ears[1], 0))) > 1-leastOf {
		r.ears = [2]int{-1, -1}
	}
	for _, i := range r.used() {
		if s := share(i); s > 0 {
			holes = append(holes, fmt.Sprintf("%s %.1f %%", p.Names[i], 100*s))
		}
	}
	switch {
	case len(rare) > 0:
		return fmt.Errorf("points that are hardly there: %s; legal: at least %.0f %% of the frames", strings.Join(rare, ", "), 100*leastOf)
	case len(r.missing()) > 0:
		return fmt.Errorf("points that are hardly there: %s", strings.Join(out, ", "))
	}
	if len(out) > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("points that are hardly there are left out: %s", strings.Join(out, ", ")))
	}
	if len(holes) > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("points not seen all the time (share of the frames, filled in and marked as invented): %s", strings.Join(holes, ", ")))
	}
	return nil
}
