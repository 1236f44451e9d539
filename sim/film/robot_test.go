//go:build mujoco && cgo

package film

import (
	"bytes"
	"context"
	"image/png"
	"math"
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
	const across, towards = 90, 180 // headings of the view; the robot walks along +x
	for i, v := range path(&walk, towards) {
		if off := walk.QPos[i][0] - v[0]; off < -0.08 || off > 0.08 {
			t.Fatalf("step %d: the robot is %.2f m nearer than the camera expects: it grows out of the picture", i, off)
		}
	}
	at := path(&walk, across)
	if math.Abs(at[0][0]) > 1e-9 {
		t.Errorf("starts looking at %v", at[0])
	}
	for i := range at {
		if off := walk.QPos[i][0] - at[i][0]; off < -0.05 || off > 0.40 {
			t.Fatalf("step %d: the robot is %.2f m off the middle of the picture", i, off)
		}
	}
	for i := range walk.QPos {
		walk.QPos[i][0] = 0.05 * float64(i%50) / 50
	}
	for i, v := range path(&walk, across) {
		if v.Sub(at[0]).Norm() > 1e-9 {
			t.Fatalf("step %d: the camera moves to %v for a weight shift", i, v)
		}
	}
}

// The robot must fit the pane, arms out or hanging, and fill it.
func TestRobotFillsThePane(t *testing.T) {
	mjcf, p := panes(t)
	for name, arms := range map[string]float64{"hanging": 0, "out": 1.5} {
		for _, width := range []int{96, 144} {
			for _, q := range p[0].QPos {
				q[7+13], q[7+17] = arms, -arms // shoulder rolls
			}
			o := Options{PaneWidthPx: width, HeightPx: 160}
			robot := p[:1]
			if err := o.fill(robot); err != nil {
				t.Fatal(err)
			}
			s, err := newStage(context.Background(), mjcf, robot, o)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.draw(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			// The robot's white shells are brighter than floor and sky.
			x0, x1, y0, y1 := width, 0, 160, 0
			for y := range 160 {
				for x := range width {
					if v := c.rgb[3*(y*width+x):]; v[0] > 215 && v[1] > 215 && v[2] > 215 {
						x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
					}
				}
			}
			s.close()
			if x0 < 2 || x1 > width-3 || y0 < 2 || y1 > 157 {
				t.Errorf("arms %s, %d px wide: shells from %d,%d to %d,%d touch the border", name, width, x0, y0, x1, y1)
			}
			if x1-x0 < width*55/100 && y1-y0 < 160*60/100 {
				t.Errorf("arms %s, %d px wide: shells from %d,%d to %d,%d leave the pane empty", name, width, x0, y0, x1, y1)
			}
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
