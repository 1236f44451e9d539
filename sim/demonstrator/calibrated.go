package demonstrator

import (
	"errors"
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
	if o.Moves != (Moves{}) || o.Picture != (Picture{}) {
		return camera.Camera{}, errors.New("a camera that moves, or a picture that is altered, has no calibration; legal: without --move and --picture")
	}
	focalPx := float64(o.HeightPx) / 2 / math.Tan(rad(o.Camera.FovDeg)/2)
	lens := camera.Lens{
		WidthPx: o.WidthPx, HeightPx: o.HeightPx, FocalPx: [2]float64{focalPx, focalPx},
		CentrePx: [2]float64{float64(o.WidthPx-1) / 2, float64(o.HeightPx-1) / 2},
	}
	v, turn := o.still(), spatial.FromYaw(rad(o.Camera.AzimuthDeg))
	return camera.LookingAt(name, lens, turn.Rotate(v.at), turn.Rotate(v.at.Add(v.ahead().Scale(v.farM)))), nil
}
