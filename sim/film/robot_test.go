//go:build mujoco && cgo

package film

import (
	"bytes"
	"context"
	"image/png"
	"path/filepath"
	"strings"
	"testing"
)

func TestSheetHasARowAPaneAndAColumnAMoment(t *testing.T) {
	mjcf, p := panes(t)
	person := Pane{Label: "person", Clip: &Clip{Video: greyClip(t, 5)}}
	o := Options{PaneWidthPx: 96, HeightPx: 128}
	data, err := Sheet(context.Background(), mjcf, []Pane{person, p[0]}, Moments(0, 0.1, 3), o)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Dx() != 3*96+2*4 || img.Bounds().Dy() != 2*128+4 {
		t.Fatalf("sheet of %v: %v", img.Bounds(), err)
	}
	again, err := Sheet(context.Background(), mjcf, []Pane{person, p[0]}, Moments(0, 0.1, 3), o)
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("the same sheet has other bytes: %v", err)
	}
}

// The robot stays in the picture when it walks away, and the camera stays put
// when it only shifts its weight.
func TestCameraFollowsWithoutShaking(t *testing.T) {
	walk := Pane{PeriodS: 0.02}
	for i := range 300 {
		q := make([]float64, 27)
		q[0], q[2], q[3] = 0.01*float64(i), 0.28, 1
		walk.QPos = append(walk.QPos, q)
	}
	o := Options{}
	if err := o.fill([]Pane{walk}); err != nil {
		t.Fatal(err)
	}
	cams := follow(&walk, o)
	if first := cams[0].LookAtM; first[0] != 0 {
		t.Errorf("starts looking at %v", first)
	}
	for i, c := range cams {
		if off := walk.QPos[i][0] - c.LookAtM[0]; off < -0.05 || off > 0.40 {
			t.Fatalf("step %d: the robot is %.2f m off the middle of the picture", i, off)
		}
	}
	for i := range walk.QPos {
		walk.QPos[i][0] = 0.05 * float64(i%50) / 50
	}
	for i, c := range follow(&walk, o) {
		if c.LookAtM != cams[0].LookAtM {
			t.Fatalf("step %d: the camera moves to %v for a weight shift", i, c.LookAtM)
		}
	}
}

func TestAnotherRobotsRecordingIsRefused(t *testing.T) {
	mjcf, p := panes(t)
	p[0].QPos = [][]float64{make([]float64, 30)}
	err := Write(context.Background(), filepath.Join(t.TempDir(), "x.mp4"), mjcf, p[:1], Options{})
	if err == nil || !strings.Contains(err.Error(), "30 positions") || !strings.Contains(err.Error(), "27") {
		t.Errorf("%v", err)
	}
}
