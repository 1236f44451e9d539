package calib

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"github.com/mitori-robotics/mitori/models/camera"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Qualisys counts pixels in 64ths and metres in thousandths; z is up.
const (
	qcaPixel = 1.0 / 64
	qcaMetre = 1e-3
)

type qcaFile struct {
	Cameras []qcaCamera `xml:"cameras>camera"`
}

type qcaCamera struct {
	Serial       string `xml:"serial,attr"`
	Active       string `xml:"active,attr"`
	ViewRotation int    `xml:"viewrotation,attr"`
	FOV          struct {
		Left   int `xml:"left,attr"`
		Right  int `xml:"right,attr"`
		Top    int `xml:"top,attr"`
		Bottom int `xml:"bottom,attr"`
	} `xml:"fov_video"`
	Transform struct {
		R11 float64 `xml:"r11,attr"`
		R12 float64 `xml:"r12,attr"`
		R13 float64 `xml:"r13,attr"`
		R21 float64 `xml:"r21,attr"`
		R22 float64 `xml:"r22,attr"`
		R23 float64 `xml:"r23,attr"`
		R31 float64 `xml:"r31,attr"`
		R32 float64 `xml:"r32,attr"`
		R33 float64 `xml:"r33,attr"`
		X   float64 `xml:"x,attr"`
		Y   float64 `xml:"y,attr"`
		Z   float64 `xml:"z,attr"`
	} `xml:"transform"`
	Intrinsic struct {
		FocalU float64 `xml:"focalLengthU,attr"`
		FocalV float64 `xml:"focalLengthV,attr"`
		U      float64 `xml:"centerPointU,attr"`
		V      float64 `xml:"centerPointV,attr"`
		Skew   float64 `xml:"skew,attr"`
		K1     float64 `xml:"radialDistortion1,attr"`
		K2     float64 `xml:"radialDistortion2,attr"`
		K3     float64 `xml:"radialDistortion3,attr"`
		P1     float64 `xml:"tangentalDistortion1,attr"`
		P2     float64 `xml:"tangentalDistortion2,attr"`
	} `xml:"intrinsic"`
}

// parseQualisys reads the calibration of a Qualisys system with video cameras.
func parseQualisys(text []byte) (camera.Set, error) {
	var f qcaFile
	// Go's decoder knows UTF-8, of which the ASCII that these files claim is a part.
	text = bytes.Replace(text, []byte("encoding='ASCII'"), nil, 1)
	text = bytes.Replace(text, []byte(`encoding="ASCII"`), nil, 1)
	if err := xml.Unmarshal(text, &f); err != nil {
		return camera.Set{}, err
	}
	s := camera.Set{Up: spatial.Vec3{0, 0, 1}}
	for i := range f.Cameras {
		c := &f.Cameras[i]
		if c.Active == "0" {
			continue
		}
		if c.ViewRotation != 0 || c.Intrinsic.Skew != 0 {
			return s, fmt.Errorf("camera %.40q: view rotation %d, skew %g; legal: 0 and 0",
				c.Serial, c.ViewRotation, c.Intrinsic.Skew)
		}
		got, err := c.camera()
		if err != nil {
			return s, err
		}
		s.Cameras = append(s.Cameras, got)
	}
	return s, nil
}

func (c *qcaCamera) camera() (camera.Camera, error) {
	// Its cameras look along -z with y up: half a turn about x from ours.
	t := &c.Transform
	rows := [3]spatial.Vec3{{t.R11, t.R12, t.R13}, {-t.R21, -t.R22, -t.R23}, {-t.R31, -t.R32, -t.R33}}
	turn, err := rotation(c.Serial, rows)
	in := &c.Intrinsic
	return camera.Camera{
		Name: c.Serial,
		Lens: camera.Lens{
			WidthPx: c.FOV.Right - c.FOV.Left + 1, HeightPx: c.FOV.Bottom - c.FOV.Top + 1,
			FocalPx:    [2]float64{qcaPixel * in.FocalU, qcaPixel * in.FocalV},
			CentrePx:   [2]float64{qcaPixel*in.U - float64(c.FOV.Left), qcaPixel*in.V - float64(c.FOV.Top)},
			Distortion: camera.Distortion{in.K1, in.K2, in.P1, in.P2, in.K3},
		},
		Rotation: turn, TranslationM: turn.Rotate(spatial.Vec3{t.X, t.Y, t.Z}.Scale(-qcaMetre)),
	}, err
}

// squareSlack is how far the rows of a written rotation may be from unit length and from
// right angles: some programs write four digits.
const squareSlack = 1e-3

// rotation makes one of the rows of a matrix, and refuses what is none, or a mirror.
func rotation(name string, rows [3]spatial.Vec3) (spatial.Quat, error) {
	for i := range 3 {
		for j := range 3 {
			want := 0.0
			if i == j {
				want = 1
			}
			if d := rows[i].Dot(rows[j]) - want; !(d < squareSlack && d > -squareSlack) {
				return spatial.Quat{}, fmt.Errorf("camera %.40q: its rotation matrix %v is none", name, rows)
			}
		}
	}
	if rows[0].Cross(rows[1]).Dot(rows[2]) < 0 {
		return spatial.Quat{}, fmt.Errorf("camera %.40q: its rotation matrix is a mirror", name)
	}
	// FromAxes takes columns; the rows are those of the inverse.
	return spatial.FromAxes(rows[0], rows[1], rows[2]).Normalize().Inv(), nil
}
