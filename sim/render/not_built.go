//go:build !(mujoco && cgo)

package render

import "github.com/mitori-robotics/mitori/models/spatial"

// Renderer cannot be made in this build.
type Renderer struct{}

// New returns ErrNotBuilt.
func New(mjcf string, opt Options) (*Renderer, error) { return nil, ErrNotBuilt }

// Nq is the number of generalised positions of the model.
func (r *Renderer) Nq() int { return 0 }

// NMocap is the number of mocap bodies of the model.
func (r *Renderer) NMocap() int { return 0 }

// Shade does nothing.
func (r *Renderer) Shade(xM, yM, radiusM float64) {}

// Draw returns ErrNotBuilt.
func (r *Renderer) Draw(rgb []byte, cam Camera, qpos, mocap []float64) error { return ErrNotBuilt }

// Bounds returns ErrNotBuilt.
func (r *Renderer) Bounds(qpos []float64) (loM, hiM spatial.Vec3, err error) {
	return loM, hiM, ErrNotBuilt
}

// BodyPosM returns ErrNotBuilt.
func (r *Renderer) BodyPosM(name string) (spatial.Vec3, error) {
	return spatial.Vec3{}, ErrNotBuilt
}

// Close does nothing.
func (r *Renderer) Close() error { return nil }
