package demonstrator

import (
	"math"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Calibrated is the camera of a film as an exact calibration has it. Its world is the
// demonstrator's, whatever side they are filmed from: x ahead of them, z up, the origin on
// the floor below the pelvis of the first frame.
func (o Options) Calibrated(name string) (camera.Camera, error) {
	o, err := o.withDefaults()
	if err != nil {
		return camera.Camera{}, err
	}
	v := o.Camera.view(o.HeightM)
	focalPx := float64(o.HeightPx) / 2 / math.Tan(rad(v.FovyDeg)/2)
	lens := camera.Lens{
		WidthPx: o.WidthPx, HeightPx: o.HeightPx, FocalPx: [2]float64{focalPx, focalPx},
		CentrePx: [2]float64{float64(o.WidthPx-1) / 2, float64(o.HeightPx-1) / 2},
	}
	place := spatial.FromYaw(rad(o.Camera.AzimuthDeg)).Rotate(spatial.Vec3{o.Camera.DistanceM, 0, o.Camera.HeightM})
	return camera.LookingAt(name, lens, place, v.LookAtM), nil
}
