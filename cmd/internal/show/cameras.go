package show

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/board"
)

// unsureFocal is the standard deviation of a focal length, as a share of it, from which on
// more photos are asked for.
const unsureFocal = 0.01

// Cameras says what photos of a board told.
func Cameras(w io.Writer, found []board.Calibrated, out string, asJSON bool) error {
	if asJSON {
		return cli.WriteJSON(w, struct {
			Output  string             `json:"output"`
			Cameras []board.Calibrated `json:"cameras"`
		}{out, found})
	}
	for i := range found {
		c := &found[i]
		for _, name := range c.Unusable {
			fmt.Fprintf(w, "%s: the board is not seen as a whole, the photo was not used\n", name)
		}
		fmt.Fprintf(w, "%s: focal length %.1f, %.1f px (+- %.1f), %d photos, error %.2f px\n",
			c.Name, c.FocalPx[0], c.FocalPx[1], c.FocalErrorPx, c.Photos, c.ErrorPx)
		if c.FocalErrorPx > unsureFocal*c.FocalPx[0] {
			fmt.Fprintf(w, "%s: the focal length is not sure: take more photos, with the board tilted more\n", c.Name)
		}
		if c.PlaceM != nil {
			fmt.Fprintf(w, "%s: stands at %.2f, %.2f, %.2f m from the board's first corner, error %.2f px\n",
				c.Name, c.PlaceM[0], c.PlaceM[1], c.PlaceM[2], c.PlaceErrorPx)
		}
	}
	fmt.Fprintf(w, "%s: %d cameras\n", out, len(found))
	return nil
}

// Calibration is what a calibration file holds.
type Calibration struct{ Set camera.Set }

// MarshalJSON lists the cameras.
func (c Calibration) MarshalJSON() ([]byte, error) {
	type one struct {
		Name       string            `json:"camera"`
		WidthPx    int               `json:"width_px"`
		HeightPx   int               `json:"height_px"`
		FocalPx    [2]float64        `json:"focal_px"`
		CentrePx   [2]float64        `json:"centre_px"`
		Distortion camera.Distortion `json:"distortion"`
		PlaceM     spatial.Vec3      `json:"place_m"`
	}
	out := struct {
		Cameras []one        `json:"cameras"`
		Up      spatial.Vec3 `json:"up"`
		ErrorPx float64      `json:"error_px"`
	}{Up: c.Set.Up, ErrorPx: c.Set.ErrorPx}
	for i := range c.Set.Cameras {
		k := &c.Set.Cameras[i]
		out.Cameras = append(out.Cameras, one{k.Name, k.WidthPx, k.HeightPx, k.FocalPx, k.CentrePx, k.Distortion, k.Place()})
	}
	return json.Marshal(out)
}

// Print says the same in lines.
func (c Calibration) Print(w io.Writer) {
	for i := range c.Set.Cameras {
		k := &c.Set.Cameras[i]
		at := k.Place()
		fmt.Fprintf(w, "%s: %d x %d, focal length %.1f, %.1f px, centre %.1f, %.1f px, stands at %.2f, %.2f, %.2f m\n",
			k.Name, k.WidthPx, k.HeightPx, k.FocalPx[0], k.FocalPx[1], k.CentrePx[0], k.CentrePx[1], at[0], at[1], at[2])
	}
	if c.Set.Up == (spatial.Vec3{}) {
		fmt.Fprintln(w, "up: not said; it is taken from how the person stands")
	} else {
		fmt.Fprintf(w, "up: %g, %g, %g\n", c.Set.Up[0], c.Set.Up[1], c.Set.Up[2])
	}
}
