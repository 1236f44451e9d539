package multiview

import (
	"math"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Before gives the person as a pinhole at the place of a camera sees them: WorldM are
// places in its axes (metres), the pixels are of a picture around its axis wide enough for
// all of them. up is the direction against gravity in its axes.
func (f *Fused) Before(c *camera.Camera) (clip *landmark.Clip, focalPx float64, up spatial.Vec3) {
	focalPx = (c.FocalPx[0] + c.FocalPx[1]) / 2
	clip = &landmark.Clip{Frames: make([]landmark.Frame, len(f.Frames))}
	halfW, halfH := float64(c.WidthPx)/2, float64(c.HeightPx)/2
	for t := range f.Frames {
		g := &clip.Frames[t]
		*g = f.Frames[t]
		for j := range landmark.Num {
			v := c.InCamera(g.WorldM[j])
			g.WorldM[j] = v
			z := math.Max(v[2], nearM)
			px := [2]float64{focalPx * v[0] / z, focalPx * v[1] / z}
			g.Landmarks[j].SetPx(px)
			halfW, halfH = math.Max(halfW, math.Abs(px[0])+1), math.Max(halfH, math.Abs(px[1])+1)
		}
	}
	clip.WidthPx, clip.HeightPx = 2*int(math.Ceil(halfW)), 2*int(math.Ceil(halfH))
	for t := range clip.Frames {
		for j := range landmark.Num {
			p := &clip.Frames[t].Landmarks[j]
			p.XPx, p.YPx = p.XPx+float64(clip.WidthPx)/2, p.YPx+float64(clip.HeightPx)/2
		}
	}
	return clip, focalPx, c.Rotation.Rotate(f.Up).Unit(spatial.Vec3{0, -1, 0})
}

// nearM is the least depth that a picture is made of.
const nearM = 0.05
