//go:build !(mujoco && cgo)

package mujoco

import "unsafe"

// Model, Data, Batch and Period exist here so that packages which use physics
// compile without it; no value of them can be made.

// Model is a compiled scene.
type Model struct{ Sizes }

// Version returns "" in a program without physics.
func Version() string { return "" }

// Load returns ErrNotBuilt.
func Load(string, []byte, map[string][]byte) (*Model, error) { return nil, ErrNotBuilt }

// LoadPhysics returns ErrNotBuilt.
func LoadPhysics(string, []byte, map[string][]byte) (*Model, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (m *Model) Close() {}

// Pointer returns nil.
func (m *Model) Pointer() unsafe.Pointer { return nil }

// ID returns ErrNotBuilt.
func (m *Model) ID(Kind, string) (int, error) { return 0, ErrNotBuilt }

// Name returns "".
func (m *Model) Name(Kind, int) string { return "" }

// Field returns ErrNotBuilt.
func (m *Model) Field(string) ([]float64, error) { return nil, ErrNotBuilt }

// IntField returns ErrNotBuilt.
func (m *Model) IntField(string) ([]int32, error) { return nil, ErrNotBuilt }

// BoolField returns ErrNotBuilt.
func (m *Model) BoolField(string) ([]bool, error) { return nil, ErrNotBuilt }

// TimestepS returns 0.
func (m *Model) TimestepS() float64 { return 0 }

// SetTimestepS does nothing.
func (m *Model) SetTimestepS(float64) {}

// SetSolver does nothing.
func (m *Model) SetSolver(int, int) {}

// SetCone does nothing.
func (m *Model) SetCone(Cone) {}

// Disable does nothing.
func (m *Model) Disable(Feature) {}

// SetConst returns ErrNotBuilt.
func (m *Model) SetConst() error { return ErrNotBuilt }

// StateSize returns 0.
func (m *Model) StateSize(StateSpec) int { return 0 }

// Data is one simulation of a model.
type Data struct {
	Model *Model

	QPos, QVel, QAcc, QAccWarmstart, Ctrl, QFrcApplied, XFrcApplied       []float64
	XPos, XQuat, XMat, XIPos, SubtreeCoM, CVel, SiteXPos, SiteXMat        []float64
	GeomXPos, GeomXMat, SensorData, ActuatorForce, QFrcActuator, QFrcBias []float64
	QFrcPassive, QFrcInverse                                              []float64
}

// NewData returns ErrNotBuilt.
func NewData(*Model) (*Data, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (d *Data) Close() {}

// Pointer returns nil.
func (d *Data) Pointer() unsafe.Pointer { return nil }

// TimeS returns 0.
func (d *Data) TimeS() float64 { return 0 }

// SetTimeS does nothing.
func (d *Data) SetTimeS(float64) {}

// Step returns ErrNotBuilt.
func (d *Data) Step(int) error { return ErrNotBuilt }

// Forward returns ErrNotBuilt.
func (d *Data) Forward() error { return ErrNotBuilt }

// Kinematics returns ErrNotBuilt.
func (d *Data) Kinematics() error { return ErrNotBuilt }

// Inverse returns ErrNotBuilt.
func (d *Data) Inverse() error { return ErrNotBuilt }

// TransitionFD returns ErrNotBuilt.
func (d *Data) TransitionFD([]float64, []float64, float64, bool) error { return ErrNotBuilt }

// Reset returns ErrNotBuilt.
func (d *Data) Reset(int) error { return ErrNotBuilt }

// State does nothing.
func (d *Data) State([]float64, StateSpec) {}

// SetState does nothing.
func (d *Data) SetState([]float64, StateSpec) {}

// Contacts returns dst.
func (d *Data) Contacts(dst []Contact) []Contact { return dst }

// Warnings returns zeros.
func (d *Data) Warnings() (w [NumWarnings]int) { return w }

// Field returns ErrNotBuilt.
func (d *Data) Field(string) ([]float64, error) { return nil, ErrNotBuilt }

// Batch is many simulations of one model.
type Batch struct {
	Worlds, Threads, NState int
	State                   []float64
}

// NewBatch returns ErrNotBuilt.
func NewBatch(*Model, BatchConfig) (*Batch, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (b *Batch) Close() {}

// Component returns ErrNotBuilt.
func (b *Batch) Component(StateSpec) (int, int, error) { return 0, 0, ErrNotBuilt }

// Err returns "".
func (b *Batch) Err(int) string { return "" }

// Failed returns false.
func (b *Batch) Failed(int) bool { return false }

// Step returns ErrNotBuilt.
func (b *Batch) Step([]int, int, Stage) error { return ErrNotBuilt }

// Forward returns ErrNotBuilt.
func (b *Batch) Forward([]int, Stage) error { return ErrNotBuilt }

// Reset returns ErrNotBuilt.
func (b *Batch) Reset([]int, int, Stage) error { return ErrNotBuilt }

// Warnings returns zeros.
func (b *Batch) Warnings(int) (w [NumWarnings]int) { return w }

// ClearWarnings does nothing.
func (b *Batch) ClearWarnings(int) {}

// Diverged returns false.
func (b *Batch) Diverged(int) bool { return false }

// Output returns ErrNotBuilt.
func (b *Batch) Output(string) ([]float64, int, error) { return nil, 0, ErrNotBuilt }

// Expand returns ErrNotBuilt.
func (b *Batch) Expand(string) ([]float64, int, error) { return nil, 0, ErrNotBuilt }

// SetConst returns ErrNotBuilt.
func (b *Batch) SetConst([]int) error { return ErrNotBuilt }

// Rollout returns ErrNotBuilt.
func (b *Batch) Rollout([]int, int, []float64, []float64) error { return ErrNotBuilt }

// Period is one control period of every world.
type Period struct {
	SubSteps                                           int
	CtrlOld, CtrlNew, SpeedRadPerS, Poses              []float64
	FootForceN, FootSlideMPerS, FootPosM, FootVelMPerS []float64
	TorqueNm, TorqueSqNm2, TorqueSat                   []float64
	SwitchAt, OtherContact                             []int32
}

// NewPeriod returns ErrNotBuilt.
func (b *Batch) NewPeriod(int, []int, []int) (*Period, error) { return nil, ErrNotBuilt }

// Run returns ErrNotBuilt.
func (p *Period) Run([]int) error { return ErrNotBuilt }

// Refresh returns ErrNotBuilt.
func (p *Period) Refresh([]int) error { return ErrNotBuilt }
