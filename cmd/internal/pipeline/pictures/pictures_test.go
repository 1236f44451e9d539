package pictures

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/mp4"
	"github.com/mitori-robotics/mitori/models/spatial"
	"github.com/mitori-robotics/mitori/perception/track"
)

func TestPersonCropHoldsThePerson(t *testing.T) {
	frame := func(x0, y0, x1, y1 float64) []track.Frame {
		f := track.Frame{Frame: landmark.Frame{Found: true}}
		for i := range f.Landmarks {
			f.Landmarks[i].XPx, f.Landmarks[i].YPx = x0, y0
		}
		f.Landmarks[3].XPx, f.Landmarks[3].YPx = x1, y1
		return []track.Frame{f, {}}
	}
	for _, c := range [][6]float64{
		{800, 100, 900, 400, 1920, 1080}, {0, 0, 50, 200, 1920, 1080}, {100, 50, 900, 300, 1080, 1920}, {-40, 900, 200, 1100, 640, 1080},
	} {
		r := personCrop(frame(c[0], c[1], c[2], c[3]), int(c[4]), int(c[5]))
		if r.Dx() < 2 || r.Dy() < 2 || r.Min.X < 0 || r.Min.Y < 0 || r.Max.X > int(c[4]) || r.Max.Y > int(c[5]) {
			t.Fatalf("%v: crop %v leaves the picture", c, r)
		}
		inside := func(x, y float64) bool {
			return x < 0 || y > c[5] || (x >= float64(r.Min.X)-1 && x <= float64(r.Max.X)+1 && y >= float64(r.Min.Y)-1 && y <= float64(r.Max.Y)+1)
		}
		if !inside(c[0], c[1]) || !inside(c[2], c[3]) {
			t.Errorf("%v: crop %v loses the person", c, r)
		}
	}
	if r := personCrop([]track.Frame{{}}, 64, 48); r.Dx() != 64 || r.Dy() != 48 {
		t.Errorf("nobody: crop %v, want the whole picture", r)
	}
}

// Filming clears away what a killed run left and touches nothing else: a film of
// the user's with the name that mitori once used stays.
func TestFilmRoomLeavesUsersFiles(t *testing.T) {
	dir := t.TempDir()
	room, err := filmRoom(dir)
	if err != nil {
		t.Fatal(err)
	}
	left := []string{filepath.Join(room, ".overlay.mp4.1.part"), filepath.Join(room, "overlay.mp4")}
	for _, name := range append([]string{filepath.Join(dir, "person.overlay.mp4"), filepath.Join(dir, ".notes"), filepath.Join(dir, "other.part")}, left...) {
		if err := os.WriteFile(name, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Half a film as the writer leaves it when it is killed.
	w, err := mp4.New(filepath.Join(dir, "side_by_side.mp4"), 64, 48, 25)
	if err != nil {
		t.Skip(err)
	}
	defer w.Abort()
	if room, err = filmRoom(dir); err != nil {
		t.Fatal(err)
	}
	if inside, err := os.ReadDir(room); err != nil || len(inside) != 0 {
		t.Errorf("the room holds %v (%v)", inside, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), ".mitori-film .notes other.part person.overlay.mp4"; got != want {
		t.Errorf("left: %s; want: %s", got, want)
	}
}

// A folder whose name holds signs of a pattern is cleared too.
func TestFilmRoomInAnOddFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[1]*")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, ".side_by_side.mp4.77.part")
	if err := os.WriteFile(half, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := filmRoom(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("half a film stays")
	}
}

// The robot is seen from where the camera saw the person: from the front, from
// behind, from their left.
func TestRobotIsSeenAsThePersonWas(t *testing.T) {
	for _, c := range []struct {
		what             string
		leftX, leftY     float64 // of the person's left side, in the world that has the camera at +x
		mirrored, normal float64
	}{
		{"from the front", 0, 1, 180, 180},
		{"from behind", 0, -1, 360, 360},
		{"their left side", 1, 0, 90, 270}, // a view along -y shows the robot's left side
		{"their right side", -1, 0, 270, 90},
	} {
		m := &human.Motion{Frames: make([]human.Pose, 1)}
		p := &m.Frames[0].Positions
		p[human.LHip], p[human.RHip] = spatial.Vec3{0.1 * c.leftX, 0.1 * c.leftY, 0.9}, spatial.Vec3{-0.1 * c.leftX, -0.1 * c.leftY, 0.9}
		for mirrored, want := range map[bool]float64{false: c.normal, true: c.mirrored} {
			if got := viewDeg(m, mirrored); math.Abs(math.Remainder(got-want, 360)) > 1e-9 || got == 0 {
				t.Errorf("%s, mirrored %v: %g degrees, want %g", c.what, mirrored, got, want)
			}
		}
	}
}
