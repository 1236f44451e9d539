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
