// Package render draws MuJoCo models without a screen: MJCF text and generalised
// positions in, RGB pictures out, by OSMesa's software OpenGL.
//
// It holds its own compiled model and steps no physics: simulation is
// sim/mujoco, which never sees OpenGL. Shadows and reflections are off unless
// asked for, because they cost six times the rest of a frame.
//
// An OpenGL context belongs to one OS thread. [New] therefore locks the calling
// goroutine to its thread until [Renderer.Close], and every method must be
// called from that goroutine; a call from elsewhere is an error, not a crash.
//
// The drawing needs build tag mujoco and cgo; without them [New] returns
// [ErrNotBuilt].
package render

import (
	"errors"
	"fmt"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// ErrNotBuilt is what every constructor returns in a build without rendering.
var ErrNotBuilt = errors.New("render: not in this build: rebuild with -tags mujoco and cgo enabled (make build does)")

// Options of a renderer; the zero value of a field means its default.
type Options struct {
	WidthPx  int // default 640
	HeightPx int // default 480

	// Samples per pixel of the edge smoothing; default 4, at most 16; 1 is none.
	Samples int

	Shadows     bool
	Reflections bool

	// Assets are the files the MJCF refers to (meshes, textures), by file name.
	Assets map[string][]byte

	// Groups says which geom and site groups are drawn; nil draws groups 0-2.
	Groups []int
}

// Camera is a free camera that looks at a point; z is up.
type Camera struct {
	LookAtM   spatial.Vec3
	DistanceM float64 // from LookAtM

	// AzimuthDeg is the heading of the view: 0 looks along +x, 90 along +y, 180
	// along -x, so a person facing +x is seen from the front at 180.
	AzimuthDeg float64

	// ElevationDeg is the pitch of the view: negative looks down.
	ElevationDeg float64

	// FovyDeg is the vertical field of view.
	FovyDeg float64
}

func (o Options) withDefaults() (Options, error) {
	if o.WidthPx == 0 {
		o.WidthPx = 640
	}
	if o.HeightPx == 0 {
		o.HeightPx = 480
	}
	if o.Samples == 0 {
		o.Samples = 4
	}
	if o.Groups == nil {
		o.Groups = []int{0, 1, 2}
	}
	const maxSidePx = 4096
	if o.WidthPx < 16 || o.HeightPx < 16 || o.WidthPx > maxSidePx || o.HeightPx > maxSidePx {
		return o, fmt.Errorf("render: picture of %d x %d pixels: sides from 16 to %d are possible", o.WidthPx, o.HeightPx, maxSidePx)
	}
	if o.Samples < 1 || o.Samples > 16 {
		return o, fmt.Errorf("render: %d samples per pixel: 1 to 16 are possible", o.Samples)
	}
	for _, g := range o.Groups {
		if g < 0 || g > 5 {
			return o, fmt.Errorf("render: geom group %d: groups are 0 to 5", g)
		}
	}
	return o, nil
}

func (c Camera) check() error {
	if !(c.DistanceM > 0) || !(c.FovyDeg > 0 && c.FovyDeg < 180) {
		return fmt.Errorf("render: camera at distance %g m with field of view %g degrees: distance must be positive, the view between 0 and 180", c.DistanceM, c.FovyDeg)
	}
	return nil
}
