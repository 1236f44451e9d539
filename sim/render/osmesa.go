//go:build mujoco && cgo

package render

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -I${SRCDIR}/../../.deps/mujoco/include
#cgo LDFLAGS: -L${SRCDIR}/../../.deps/mujoco/lib -lmujoco -Wl,-rpath,${SRCDIR}/../../.deps/mujoco/lib -lOSMesa -lm
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"unsafe"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// installing guards the one process-wide thing MuJoCo has: its log handler, and
// OpenGL's function table, which MuJoCo fills at the first context.
var installing sync.Mutex

// Renderer is one model in one offscreen OpenGL context. It belongs to the
// goroutine that made it.
type Renderer struct {
	c      *C.mitori_render
	opt    Options
	groups [6]C.uchar
	errBuf [C.MITORI_RENDER_ERR]C.char
	nq     int
	nmocap int
	shade  C.mitori_render_shade
}

// New compiles the MJCF and opens an offscreen context for it, locking the
// calling goroutine to its thread until Close.
func New(mjcf string, opt Options) (*Renderer, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Renderer{opt: opt}
	for _, g := range opt.Groups {
		r.groups[g] = 1
	}

	xml := C.CString(mjcf)
	defer C.free(unsafe.Pointer(xml))
	names := make([]string, 0, len(opt.Assets))
	for n := range opt.Assets {
		names = append(names, n)
	}
	sort.Strings(names)
	n := len(names)
	// C memory throughout: C must not be handed Go memory that holds pointers.
	ptr := C.size_t(unsafe.Sizeof(uintptr(0)))
	cNames := (**C.char)(C.calloc(C.size_t(n+1), ptr))
	cData := (**C.char)(C.calloc(C.size_t(n+1), ptr))
	cSizes := (*C.int)(C.calloc(C.size_t(n+1), 4))
	defer C.free(unsafe.Pointer(cNames))
	defer C.free(unsafe.Pointer(cData))
	defer C.free(unsafe.Pointer(cSizes))
	for i, name := range names {
		cn, cd := C.CString(name), (*C.char)(C.CBytes(opt.Assets[name]))
		defer C.free(unsafe.Pointer(cn))
		defer C.free(unsafe.Pointer(cd))
		unsafe.Slice(cNames, n)[i] = cn
		unsafe.Slice(cData, n)[i] = cd
		unsafe.Slice(cSizes, n)[i] = C.int(len(opt.Assets[name]))
	}

	runtime.LockOSThread()
	installing.Lock()
	// Mesa would keep compiled shaders in the user's cache; mitori writes where
	// it was told to and nowhere else. (With cgo, Setenv also sets C's
	// environment; Mesa reads it when a context is made.)
	if err := os.Setenv("MESA_SHADER_CACHE_DISABLE", "true"); err != nil {
		installing.Unlock()
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("render: %w", err)
	}
	r.c = C.mitori_render_open(xml, C.int(len(mjcf)), C.int(n), cNames, cData, cSizes,
		C.int(opt.WidthPx), C.int(opt.HeightPx), C.int(opt.Samples),
		cBool(opt.Shadows), cBool(opt.Reflections), &r.errBuf[0])
	installing.Unlock()
	if r.c == nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("render: open: %s", C.GoString(&r.errBuf[0]))
	}
	r.nq = int(C.mitori_render_nq(r.c))
	r.nmocap = int(C.mitori_render_nmocap(r.c))
	return r, nil
}

func cBool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Nq is the number of generalised positions of the model.
func (r *Renderer) Nq() int { return r.nq }

// NMocap is the number of mocap bodies of the model.
func (r *Renderer) NMocap() int { return r.nmocap }

// Shade puts a soft round shadow on the floor (z = 0) of every later picture, a
// cheap stand-in for real ones that keeps a figure from seeming to float; radius
// 0 takes it away.
func (r *Renderer) Shade(xM, yM, radiusM float64) {
	r.shade = C.mitori_render_shade{x: C.double(xM), y: C.double(yM), radius_m: C.double(radiusM)}
}

// Draw sets the state and draws it into rgb: pixels of three bytes as many as Options ask for, top
// row first. qpos has Nq numbers, or is nil to keep the last state; mocap has
// seven numbers a body (x y z in metres, quaternion w x y z), or is nil.
func (r *Renderer) Draw(rgb []byte, cam Camera, qpos, mocap []float64) error {
	if r.c == nil {
		return errors.New("render: draw after close")
	}
	if len(rgb) != r.opt.WidthPx*r.opt.HeightPx*3 {
		panic("render: picture buffer of wrong size")
	}
	if qpos != nil && len(qpos) != r.nq {
		panic("render: qpos of wrong length")
	}
	if mocap != nil && len(mocap) != 7*r.nmocap {
		panic("render: mocap of wrong length")
	}
	if err := cam.check(); err != nil {
		return err
	}
	c := C.mitori_render_camera{
		distance_m: C.double(cam.DistanceM), azimuth_deg: C.double(cam.AzimuthDeg),
		elevation_deg: C.double(cam.ElevationDeg), fovy_deg: C.double(cam.FovyDeg),
	}
	for i := range 3 {
		c.lookat[i] = C.double(cam.LookAtM[i])
	}
	var q, mc *C.double
	if len(qpos) > 0 {
		q = (*C.double)(&qpos[0])
	}
	if len(mocap) > 0 {
		mc = (*C.double)(&mocap[0])
	}
	if C.mitori_render_draw(r.c, q, mc, &c, &r.shade, &r.groups[0], (*C.uchar)(&rgb[0]), &r.errBuf[0]) != 0 {
		return fmt.Errorf("render: draw: %s", C.GoString(&r.errBuf[0]))
	}
	return nil
}

// Bounds is a box around everything that is not fixed to the world, in the
// state qpos (nil: the last one). It holds the spheres around the shapes, so it
// is somewhat too wide, never too narrow.
func (r *Renderer) Bounds(qpos []float64) (loM, hiM spatial.Vec3, err error) {
	if r.c == nil {
		return loM, hiM, errors.New("render: bounds after close")
	}
	if qpos != nil && len(qpos) != r.nq {
		panic("render: qpos of wrong length")
	}
	var q *C.double
	if len(qpos) > 0 {
		q = (*C.double)(&qpos[0])
	}
	var lo, hi [3]C.double
	if C.mitori_render_bounds(r.c, q, &lo[0], &hi[0], &r.errBuf[0]) != 0 {
		return loM, hiM, fmt.Errorf("render: bounds: %s", C.GoString(&r.errBuf[0]))
	}
	for k := range lo {
		loM[k], hiM[k] = float64(lo[k]), float64(hi[k])
	}
	return loM, hiM, nil
}

// BodyPosM is the world position of the named body in the last drawn state.
func (r *Renderer) BodyPosM(name string) (spatial.Vec3, error) {
	if r.c == nil {
		return spatial.Vec3{}, errors.New("render: body position after close")
	}
	cn := C.CString(name)
	defer C.free(unsafe.Pointer(cn))
	id := C.mitori_render_body(r.c, cn)
	if id < 0 {
		return spatial.Vec3{}, fmt.Errorf("render: the model has no body %q", name)
	}
	var p [3]C.double
	C.mitori_render_body_pos(r.c, id, &p[0])
	return spatial.Vec3{float64(p[0]), float64(p[1]), float64(p[2])}, nil
}

// Close frees the context and the model and unlocks the goroutine's thread.
func (r *Renderer) Close() error {
	if r.c == nil {
		return nil
	}
	C.mitori_render_close(r.c)
	r.c = nil
	runtime.UnlockOSThread()
	return nil
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
