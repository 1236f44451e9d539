package capture

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/models/bvh"
	"github.com/mitori-robotics/mitori/models/npz"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// poseMembers are the members that hold rotations: AMASS's, and what video methods write.
var poseMembers = []string{"poses", "root_orient", "pose_body", "global_orient", "body_pose", "trans", "transl"}

// smplParents is the tree of smplJoints.
var smplParents = [24]int{-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21}

// bodyJoints is how many of SMPL's joints all its versions share.
const bodyJoints = 22

// ReadSMPL takes a body's rotations out of an archive: `poses` (T, 66 or more; SMPL, SMPL-H, SMPL-X: axis-angle, three
// numbers a joint) or `root_orient`/`global_orient` (T, 3) and `pose_body`/`body_pose` (T, 63 or more), with `trans` or
// `transl` (T, 3) in metres. The skeleton is an average adult's of stature heightM: the body shape (betas) would need the
// body model.
func ReadSMPL(a npz.Archive, fps, heightM float64) (*bvh.File, error) {
	turns, err := smplTurns(a)
	if err != nil {
		return nil, err
	}
	if fps, err = rate(a, fps); err != nil {
		return nil, err
	}
	f, err := bvh.Build(smplSkeleton(heightM), 1/fps)
	if err != nil {
		return nil, err
	}
	f.Notes = append(f.Notes, "the body shape is not used: rotations move a skeleton with an average adult's proportions")
	trans, _, ok := member(a, []string{"trans", "transl"})
	if ok && (len(trans.Shape) != 2 || trans.Shape[0] != len(turns) || trans.Shape[1] != 3) {
		return nil, fmt.Errorf("npz: trans has shape %v; legal: [%d 3]", trans.Shape, len(turns))
	}
	if !ok {
		f.Notes = append(f.Notes, "there is no way over the floor in the file (trans): the pelvis rests at one place")
	}
	for t := range turns {
		at := make([]spatial.Vec3, bodyJoints)
		if ok {
			copy(at[0][:], trans.Data[3*t:])
		}
		f.Append(at, turns[t])
	}
	return f, nil
}

// smplTurns gives every joint's turn against its parent.
func smplTurns(a npz.Archive) ([][]spatial.Quat, error) {
	poses, ok := a["poses"]
	root, body := poses, poses
	skip := 3
	if !ok {
		var okRoot, okBody bool
		root, _, okRoot = member(a, []string{"root_orient", "global_orient"})
		body, _, okBody = member(a, []string{"pose_body", "body_pose"})
		if !okRoot || !okBody {
			return nil, errors.New("npz: neither poses nor root_orient with pose_body (global_orient with body_pose) are in the file")
		}
		skip = 0
	}
	if len(root.Shape) != 2 || len(body.Shape) != 2 || root.Shape[0] != body.Shape[0] || root.Shape[1] < 3 || body.Shape[1] < skip+3*(bodyJoints-1) {
		return nil, fmt.Errorf("npz: poses of shape %v, %v; legal: (frames, %d or more): three numbers a joint", root.Shape, body.Shape, 3*bodyJoints)
	}
	n := root.Shape[0]
	if n < 2 || n > maxFrames {
		return nil, fmt.Errorf("npz: %d frames; legal: 2 to %d", n, maxFrames)
	}
	out := make([][]spatial.Quat, n)
	for t := range out {
		out[t] = make([]spatial.Quat, bodyJoints)
		for j := range out[t] {
			var v spatial.Vec3
			if j == 0 {
				copy(v[:], root.Data[t*root.Shape[1]:])
			} else {
				copy(v[:], body.Data[t*body.Shape[1]+skip+3*(j-1):])
			}
			if s := v.Norm(); math.IsNaN(s) || s > 100 {
				return nil, fmt.Errorf("npz: frame %d, %s: a rotation of %v rad", t, smplJoints[j], v)
			}
			out[t][j] = spatial.Exp(v)
		}
	}
	return out, nil
}

// smplSkeleton lays an average adult out as SMPL's rest pose does: a T pose, y up, facing z, the left at +x. Lengths are
// shares of stature after Winter (Biomechanics, figure 4.1), not those of the body model.
func smplSkeleton(heightM float64) []bvh.Bone {
	h := heightM
	offsets := map[string]spatial.Vec3{
		"hip": {0.05 * h, -0.03 * h, 0}, "knee": {0, -0.245 * h, 0}, "ankle": {0, -0.246 * h, 0}, "foot": {0, -0.03 * h, 0.08 * h},
		"spine1": {0, 0.07 * h, 0}, "spine2": {0, 0.08 * h, 0}, "spine3": {0, 0.03 * h, 0}, "neck": {0, 0.12 * h, 0}, "head": {0, 0.07 * h, 0.02 * h},
		"collar": {0.04 * h, 0.06 * h, 0}, "shoulder": {0.07 * h, 0.02 * h, 0}, "elbow": {0.15 * h, 0, 0}, "wrist": {0.146 * h, 0, 0},
	}
	bones := make([]bvh.Bone, bodyJoints)
	for j := range bones {
		part, side := bvh.PartOf(smplJoints[j])
		if strings.HasPrefix(smplJoints[j], "spine") { // whose number counts
			part = smplJoints[j]
		}
		offset := offsets[part]
		if side == 1 {
			offset[0] = -offset[0]
		}
		bones[j] = bvh.Bone{Name: smplJoints[j], Parent: smplParents[j], Offset: offset}
	}
	return bones
}
