package board

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/perception/calib"
)

const data = "../../../shared/data/pose2sim/calibration"

var printed = calib.Board{Columns: 4, Rows: 7, SquareM: 0.06}

// Seven photos of a real board give the focal lengths that another program found from
// more, within 1 %, and the same distortion.
func TestRealPhotos(t *testing.T) {
	want, err := calib.Load(filepath.Join(data, "Calib.qca.txt"))
	if err != nil {
		t.Skipf("the photos are not here: %v", err)
	}
	for _, camera := range want.Cameras {
		names, err := filepath.Glob(filepath.Join(data, "intrinsics", camera.Name+"_*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if len(names) == 0 {
			continue
		}
		var photos []calib.Photo
		for _, name := range names {
			p, err := Find(name, printed)
			if errors.Is(err, ErrNotBuilt) {
				t.Skip(err)
			}
			if err != nil {
				t.Log(err)
				continue
			}
			photos = append(photos, p)
		}
		if len(photos) < len(names)-1 {
			t.Errorf("%s: the board is found on %d of %d photos", camera.Name, len(photos), len(names))
		}
		fit, err := calib.CalibrateLens(printed, photos)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %+v\nfile %+v", camera.Name, fit, camera.Lens)
		for k := range 2 {
			if off := fit.Lens.FocalPx[k]/camera.FocalPx[k] - 1; math.Abs(off) > 0.01 {
				t.Errorf("%s: focal length %g px, the file says %g: %.2f %% off", camera.Name, fit.Lens.FocalPx[k], camera.FocalPx[k], 100*off)
			}
		}
	}
}

// What is no photo is refused before OpenCV sees it.
func TestNoPhoto(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.jpg")
	if err := os.WriteFile(name, []byte("GIF89a...."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(name, printed); !errors.Is(err, infile.ErrUnusable) || !strings.Contains(err.Error(), "JPEG") {
		t.Error(err)
	}
	if _, err := Find(name, calib.Board{Columns: 2, Rows: 7, SquareM: 0.06}); err == nil {
		t.Error("a board of two columns is taken")
	}
}

// A board photographed from any side, and in a mirror's order, has one order of corners.
func TestCanonical(t *testing.T) {
	b := calib.Board{Columns: 4, Rows: 7, SquareM: 1}
	for name, place := range map[string]func(x, y float64) (float64, float64){
		"upright":    func(x, y float64) (float64, float64) { return x, y },
		"half turn":  func(x, y float64) (float64, float64) { return 300 - x, 300 - y },
		"quarter":    func(x, y float64) (float64, float64) { return 300 - y, x },
		"third turn": func(x, y float64) (float64, float64) { return y, 300 - x },
	} {
		// Squares: the one between the first four inner corners is dark.
		bright := func(px, py float64) float64 {
			for c := -1; c < 4; c++ {
				for r := -1; r < 7; r++ {
					x, y := place(20*float64(c)+50, 20*float64(r)+50)
					if math.Abs(px-x) < 10 && math.Abs(py-y) < 10 {
						return float64(200 * ((c + r + 4) % 2))
					}
				}
			}
			return 255
		}
		var want [][2]float64
		for r := range 7 {
			for c := range 4 {
				x, y := place(20*float64(c)+40, 20*float64(r)+40)
				want = append(want, [2]float64{x, y})
			}
		}
		found := map[string][][2]float64{"same": want}
		for i := range want {
			found["backwards"] = append(found["backwards"], want[len(want)-1-i])
			found["mirrored"] = append(found["mirrored"], want[i/4*4+3-i%4])
			found["upside down"] = append(found["upside down"], want[(6-i/4)*4+i%4])
		}
		for how, corners := range found {
			got, turned := canonical(corners, b, bright)
			if turned != calib.TurnKnown {
				t.Error("4 x 7 corners look alike when turned")
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%s, found %s: corner %d is at %v, want %v", name, how, i, got[i], want[i])
					break
				}
			}
		}
	}
	square := calib.Board{Columns: 3, Rows: 3, SquareM: 1}
	var corners [][2]float64
	for i := range 9 {
		corners = append(corners, [2]float64{float64(20 * (i % 3)), float64(20 * (i / 3))})
	}
	if _, turned := canonical(corners, square, func(x, y float64) float64 { return 0 }); turned != calib.TurnUnknown {
		t.Error("3 x 3 corners are told apart when turned")
	}
}
