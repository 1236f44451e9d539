package board

import (
	"context"
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/calib"
)

// Photos are those of one camera.
type Photos struct {
	Camera string
	Lens   []string // of the board, from all sides
	// Place is a photo of the board where it lies for all cameras, empty where there is none.
	Place string
}

// Calibrated is one camera and how well it is known.
type Calibrated struct {
	camera.Camera `json:"-"`
	Name          string     `json:"camera"`
	Photos        int        `json:"photos"` // that show the board
	Unusable      []string   `json:"unusable,omitempty"`
	FocalPx       [2]float64 `json:"focal_px"`
	// FocalErrorPx is one standard deviation, as far as the photos tell.
	FocalErrorPx float64 `json:"focal_error_px"`
	ErrorPx      float64 `json:"error_px"`
	// PlaceErrorPx is the error of the photo of the place, 0 without one.
	PlaceErrorPx float64 `json:"place_error_px,omitempty"`
	// PlaceM is where the camera stands in the board's world, z up.
	PlaceM *spatial.Vec3 `json:"place_m,omitempty"`
}

// Calibrate finds lens and place of one camera. progress (may be nil) hears of photos.
func Calibrate(ctx context.Context, b calib.Board, p Photos, progress func(done, total int)) (Calibrated, error) {
	out := Calibrated{Name: p.Camera}
	var found []calib.Photo
	for i, name := range p.Lens {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		photo, err := Find(name, b)
		switch {
		case errors.Is(err, ErrNone):
			out.Unusable = append(out.Unusable, name)
		case err != nil:
			return out, err
		default:
			found = append(found, photo)
		}
		if progress != nil {
			progress(i+1, len(p.Lens))
		}
	}
	fit, err := calib.CalibrateLens(b, found)
	if err != nil {
		return out, fmt.Errorf("camera %s: %w", p.Camera, err)
	}
	out.Camera = camera.Camera{Name: p.Camera, Lens: fit.Lens, Rotation: spatial.Identity()}
	out.Photos, out.FocalPx, out.FocalErrorPx, out.ErrorPx = len(found), fit.Lens.FocalPx, fit.FocalErrorPx, fit.ErrorPx
	if p.Place == "" {
		return out, nil
	}
	photo, err := Find(p.Place, b)
	if err != nil {
		return out, fmt.Errorf("camera %s: place: %w", p.Camera, err)
	}
	if out.Camera, out.PlaceErrorPx, err = calib.Place(fit.Lens, b, photo); err != nil {
		return out, fmt.Errorf("camera %s: place: %w", p.Camera, err)
	}
	out.Camera.Name = p.Camera
	at := out.InWorld(spatial.Vec3{})
	out.PlaceM = &at
	return out, nil
}
