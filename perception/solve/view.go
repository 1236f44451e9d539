package solve

import (
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/sight"
)

const (
	// rollFree is how far, in rad, a trunk may lean sideways without the camera being
	// rolled, where there are no legs to tell.
	rollFree = 5 * math.Pi / 180
	// legsShare of the frames with legs are enough to tell gravity by.
	legsShare = 0.25
	// networkAdultM is the stature of the adult that the network has in mind.
	networkAdultM = assumedHeightM
)

// view is what the camera sees of the person: hidden limbs by stretches of time.
type view struct{ hidden [sight.NumParts][]sight.Span }

// blind takes landmarks that are not seen for guesses, in frames.
func blind(frames []landmark.Frame, widthPx, heightPx int) {
	for i := range frames {
		for j := range frames[i].Landmarks {
			p := &frames[i].Landmarks[j]
			if p.Visibility >= sight.Visible && !sight.Seen(&frames[i], j, widthPx, heightPx) {
				p.Visibility = 0
			}
		}
	}
}

// blank puts hidden limbs where nobody can take them for a motion: straight down from
// hip or shoulder, feet ahead, as long as the network's adult has them.
func (v *view) blank(frames []landmark.Frame) {
	torsoPx, torsoM := torsoSize(frames)
	for i := range frames {
		for part := range sight.LeftFoot {
			if v.hides(part, frames[i].TimeS, 0) {
				hang(&frames[i], part, torsoPx/torsoM)
			}
		}
	}
}

// hang lets a limb hang, in the picture and in the network's world.
func hang(f *landmark.Frame, part sight.Part, pxPerM float64) {
	side := int(part % 2)
	put := func(from, to landmark.Index, v spatial.Vec3) {
		from, to = from+side, to+side
		v = v.Scale(networkAdultM)
		p := &f.Landmarks[to]
		p.XPx, p.YPx = f.Landmarks[from].XPx+v[0]*pxPerM, f.Landmarks[from].YPx+v[1]*pxPerM
		p.Visibility, f.WorldM[to] = 0, f.WorldM[from].Add(v)
	}
	if part <= sight.RightArm {
		put(landmark.LShoulder, landmark.LElbow, spatial.Vec3{0, boneRatio[upperArm], 0})
		put(landmark.LElbow, landmark.LWrist, spatial.Vec3{0, boneRatio[forearm], 0})
		for _, j := range [...]landmark.Index{landmark.LPinky, landmark.LIndex, landmark.LThumb} {
			put(landmark.LWrist, j, spatial.Vec3{0, boneRatio[hand], 0})
		}
		return
	}
	put(landmark.LHip, landmark.LKnee, spatial.Vec3{0, boneRatio[thigh], 0})
	put(landmark.LKnee, landmark.LAnkle, spatial.Vec3{0, boneRatio[shank], 0})
	put(landmark.LAnkle, landmark.LHeel, spatial.Vec3{0, ankleSeenHeight - heelSeenHeight, -heelSeenAhead})
	put(landmark.LAnkle, landmark.LToe, spatial.Vec3{0, ankleSeenHeight - toeSeenHeight, -toeSeenAhead})
}

// look finds out what is hidden in frames whose sides are right.
func look(frames []landmark.Frame, widthPx, heightPx int) *view {
	return &view{sight.Hidden(&landmark.Clip{WidthPx: widthPx, HeightPx: heightPx, Frames: frames})}
}

// hides tells whether a part is hidden at a time, or within half a step of it.
func (v *view) hides(part sight.Part, timeS, stepS float64) bool {
	for _, s := range v.hidden[part] {
		if timeS >= s.FromS-stepS/2 && timeS <= s.ToS+stepS/2 {
			return true
		}
	}
	return false
}

// gravity estimates the direction against gravity by the frames that show both legs,
// or one. Where these are few, nothing tells how the camera is pitched: it is taken as
// level, and as rolled only by what a trunk does not lean.
func (v *view) gravity(frames []landmark.Frame) spatial.Vec3 {
	var byLegs [3][]landmark.Frame // that show so many
	for i := range frames {
		k := 0
		for _, leg := range [...]sight.Part{sight.LeftLeg, sight.RightLeg} {
			if !v.hides(leg, frames[i].TimeS, 0) {
				k++
			}
		}
		byLegs[k] = append(byLegs[k], frames[i])
	}
	enough := max(minFoundFrames, int(legsShare*float64(len(frames))))
	switch {
	case len(byLegs[2]) >= enough:
		return estimateUp(byLegs[2])
	case len(byLegs[1]) >= enough:
		return estimateUp(byLegs[1])
	}
	return rollOfTrunks(frames)
}

// rollOfTrunks is up for a camera that is level but for its roll.
func rollOfTrunks(frames []landmark.Frame) spatial.Vec3 {
	roll := make([]float64, 0, len(frames))
	for i := range frames {
		f := &frames[i]
		if min(f.Landmarks[landmark.LHip].Visibility, f.Landmarks[landmark.RHip].Visibility) < sight.Visible {
			continue
		}
		d := [2]float64{}
		for k := range d {
			at := func(j landmark.Index) float64 { return f.Landmarks[j].Px()[k] }
			d[k] = at(landmark.LShoulder) + at(landmark.RShoulder) - at(landmark.LHip) - at(landmark.RHip)
		}
		roll = append(roll, math.Atan2(d[0], -d[1]))
	}
	if 2*len(roll) < len(frames) {
		return levelUp
	}
	r := median(roll)
	r = math.Copysign(math.Max(0, abs(r)-rollFree), r)
	return spatial.Vec3{math.Sin(r), -math.Cos(r), 0}
}
