// Package mjcf reads the part of MuJoCo's model format that robots are described with and turns it into an immutable
// kinematic tree: bodies with their inertia, hinge, slide and free joints, primitive shapes, sites, actuators and
// key poses.
//
// It follows MuJoCo's own compiler (defaults and child classes, orientation attributes, inertia from shapes, limits
// that switch themselves on) so that numbering, positions and masses equal those of the compiled model; a
// differential test in the simulator's package holds the two together on random models (mjcftest). What has no bearing
// on kinematics (sensors, assets, visual settings, contact parameters) is skipped; what would change kinematics and is
// not supported (ball joints, composites, settings that move or renumber bodies) is refused; couplings of joints
// (tendons, equality constraints), drag and compensated gravity are named in Model.Notes.
//
// Not here: forward kinematics and dynamics (models/kin), physics (sim). A Model is never changed after Parse and may
// be shared between goroutines.
package mjcf

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/mitori-robotics/mitori/models/spatial"
)

// Model is a compiled description. Body 0 is the world; parents come before children; all orders equal MuJoCo's.
type Model struct {
	Name          string
	TimestepS     float64
	GravityMPerS2 spatial.Vec3
	Bodies        []Body
	Joints        []Joint
	Geoms         []Geom
	Sites         []Site
	Actuators     []Actuator
	Keyframes     []Keyframe
	Excludes      [][2]int // pairs of bodies that never collide
	NQ, NV        int      // lengths of the position and velocity vectors
	// Notes says in words what the file contains that this reader leaves out.
	Notes []string
}

// Body is a rigid link. Its pose in the parent is that of the zero position of its joints.
type Body struct {
	Name        string
	Parent      int // -1 for the world
	PosM        spatial.Vec3
	Quat        spatial.Quat // parentFromBody
	Joints      []int        // in the order in which they act
	Geoms       []int
	Sites       []int
	MassKg      float64
	ComM        spatial.Vec3  // centre of mass in the body frame
	InertiaKgM2 [3][3]float64 // about the centre of mass, along the body's axes
}

// JointKind says how a joint moves.
type JointKind int

// The kinds of joint that are supported.
const (
	Free JointKind = iota
	Hinge
	Slide
)

// String returns MuJoCo's word for the kind.
func (k JointKind) String() string { return [...]string{"free", "hinge", "slide"}[k] }

// Joint moves its body against the parent. Angles are rad and rad/s; for a slide read m and m/s.
type Joint struct {
	Name              string
	Kind              JointKind
	Body              int
	QPos, QVel        int          // first index into the position and velocity vectors
	AnchorM           spatial.Vec3 // in the body frame
	Axis              spatial.Vec3 // unit, in the body frame
	RefRad            float64      // position that the file's geometry is drawn at
	Limited           bool
	RangeRad          [2]float64
	DampingNmSPerRad  float64
	FrictionNm        float64
	ArmatureKgM2      float64
	StiffnessNmPerRad float64
	ForceRangeNm      [2]float64 // of all actuators together (actuatorfrcrange)
	ForceLimited      bool
	SpringRefRad      float64
	ActuatorIndex     int // into Model.Actuators, -1 if none
}

// GeomKind is the shape of a geom.
type GeomKind int

// The shapes. Mesh stands for everything whose surface lies in another file.
const (
	Plane GeomKind = iota
	Sphere
	Capsule
	Ellipsoid
	Cylinder
	Box
	Mesh
)

// String returns MuJoCo's word for the shape.
func (k GeomKind) String() string {
	return [...]string{"plane", "sphere", "capsule", "ellipsoid", "cylinder", "box", "mesh"}[k]
}

// Geom is a shape fixed to a body. SizeM is MuJoCo's: half sizes of a box, radii of an ellipsoid, radius of a sphere,
// radius and half length along z of a capsule or cylinder.
type Geom struct {
	Name     string
	Kind     GeomKind
	Body     int
	PosM     spatial.Vec3
	Quat     spatial.Quat // bodyFromGeom
	SizeM    spatial.Vec3
	Collides bool // contype or conaffinity is not zero
	Group    int
	Friction float64
}

// Site is a named frame fixed to a body.
type Site struct {
	Name string
	Body int
	PosM spatial.Vec3
	Quat spatial.Quat // bodyFromSite
}

// Actuator drives one joint.
type Actuator struct {
	Name         string
	Kind         string // position, motor, velocity, general
	Joint        int
	Gear         float64
	KpNmPerRad   float64 // position actuators
	KvNmSPerRad  float64
	CtrlLimited  bool
	CtrlRange    [2]float64
	ForceLimited bool
	ForceRangeNm [2]float64
}

// Keyframe is a stored state; QPos is empty if the file gives none.
type Keyframe struct {
	Name string
	QPos []float64
	Ctrl []float64
}

// Parse compiles one self-contained MJCF text. name is used in errors.
func Parse(name string, text []byte) (*Model, error) {
	root, err := readXML(name, bytes.NewReader(text), nil)
	if err != nil {
		return nil, err
	}
	return compile(root)
}

// Load compiles the MJCF file at path, following its <include> elements inside fsys.
func Load(fsys fs.FS, path string) (*Model, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mjcf: %w", err)
	}
	defer f.Close()
	root, err := readXML(path, f, fsys)
	if err != nil {
		return nil, err
	}
	return compile(root)
}

// BodyIndex returns the index of the named body, or -1.
func (m *Model) BodyIndex(name string) int {
	for i := range m.Bodies {
		if m.Bodies[i].Name == name {
			return i
		}
	}
	return -1
}

// JointIndex returns the index of the named joint, or -1.
func (m *Model) JointIndex(name string) int {
	for i := range m.Joints {
		if m.Joints[i].Name == name {
			return i
		}
	}
	return -1
}

// KeyframeQPos returns a copy of the positions of the named keyframe and whether it exists.
func (m *Model) KeyframeQPos(name string) ([]float64, bool) {
	for i := range m.Keyframes {
		if m.Keyframes[i].Name == name && len(m.Keyframes[i].QPos) == m.NQ {
			return append([]float64(nil), m.Keyframes[i].QPos...), true
		}
	}
	return nil, false
}

// ZeroQPos returns the position vector of the pose that the file draws.
func (m *Model) ZeroQPos() []float64 {
	q := make([]float64, m.NQ)
	for _, j := range m.Joints {
		if j.Kind == Free {
			b := m.Bodies[j.Body]
			copy(q[j.QPos:], b.PosM[:])
			copy(q[j.QPos+3:], b.Quat[:])
			continue
		}
		q[j.QPos] = j.RefRad
	}
	return q
}

// TotalMassKg sums the masses of all bodies.
func (m *Model) TotalMassKg() float64 {
	var s float64
	for i := range m.Bodies {
		s += m.Bodies[i].MassKg
	}
	return s
}
