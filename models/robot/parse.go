package robot

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/servos"
	"github.com/mitori-robotics/mitori/models/strictyaml"
)

// file mirrors robot.yaml. Pointers tell "absent" from zero.
type file struct {
	Schema        int                  `yaml:"schema"`
	Name          string               `yaml:"name"`
	Model         string               `yaml:"model"`
	RootBody      string               `yaml:"root_body"`
	StandKeyframe string               `yaml:"stand_keyframe"`
	PolicyRateHz  float64              `yaml:"policy_rate_hz"`
	LoopRateHz    float64              `yaml:"loop_rate_hz"`
	Battery       Battery              `yaml:"battery"`
	Buses         []Bus                `yaml:"buses"`
	IMU           IMU                  `yaml:"imu"`
	ServoTypes    map[string]fileServo `yaml:"servo_types"`
	Joints        []fileJoint          `yaml:"joints"`
}

type fileJoint struct {
	line              int
	Name              string   `yaml:"name"`
	Servo             string   `yaml:"servo"`
	Bus               string   `yaml:"bus"`
	ID                *int     `yaml:"id"`
	Sign              *float64 `yaml:"sign"`
	OffsetRad         float64  `yaml:"offset_rad"`
	MinRad            *float64 `yaml:"min_rad"`
	MaxRad            *float64 `yaml:"max_rad"`
	SpeedLimitRadPerS float64  `yaml:"speed_limit_rad_s"`
}

// parse returns the description and the name of the MJCF file; its servos are those
// of the catalogue. It reports every fault it finds, one a line.
func parse(text []byte, catalogue servos.Catalogue) (*Description, string, error) {
	var f file
	doc, err := strictyaml.Decode(text, &f)
	if err != nil {
		return nil, "", err
	}
	bad := faults{doc.Faults()}
	if doc.Broken() {
		return nil, "", bad.Err()
	}
	for k := range f.Joints {
		f.Joints[k].line = doc.Line("joints", k)
	}
	bad.checkHead(&f)
	bad.checkPower(&f)
	buses := bad.checkBuses(&f, catalogue.Protocols())
	types := bad.bindServos(&f, catalogue)
	d := &Description{
		Name: f.Name, RootBody: f.RootBody, StandKeyframe: f.StandKeyframe, PolicyRateHz: f.PolicyRateHz, LoopRateHz: f.LoopRateHz,
		Battery: f.Battery, Buses: f.Buses, IMU: f.IMU, ServoTypes: types,
	}
	d.Joints = bad.checkJoints(&f, buses, types)
	return d, f.Model, bad.Err()
}

// within reports whether v lies in a closed range; NaN does not.
func within(v, low, high float64) bool { return v >= low && v <= high }

func (f *faults) checkHead(r *file) {
	f.Check(r.Schema == 1, "schema: %d is unknown; legal: 1", r.Schema)
	f.Check(r.Name != "" && len(r.Name) <= maxName, "name: %q; legal: 1 to %d characters", r.Name, maxName)
	f.Check(r.Model != "" && !strings.ContainsAny(r.Model, "/\\"), "model: %q must name an MJCF file in the same folder", r.Model)
	f.Check(r.RootBody != "", "root_body: missing; name the MJCF body with the free joint")
	f.Check(r.StandKeyframe != "", "stand_keyframe: missing; name a <key> of the MJCF")
	f.Check(within(r.PolicyRateHz, 10, 500), "policy_rate_hz: %g; legal: 10 to 500", r.PolicyRateHz)
	ratio := r.LoopRateHz / r.PolicyRateHz
	f.Check(r.LoopRateHz <= 1000 && ratio >= 1 && ratio == math.Trunc(ratio), "loop_rate_hz: %g; legal: a whole multiple of policy_rate_hz, at most 1000", r.LoopRateHz)
}

// Limits on what a description may claim. They are wide: their use is that no
// value switches a failsafe off, by mistake or on purpose.
const (
	maxName  = 64
	maxCells = 24
	maxV     = 60 // extra-low voltage: what bus servos run on
	// minStop is the least share of nominal_v that stop_v may be: lithium cells are
	// empty at three quarters of it, and no chemistry has much left below 0.6.
	minStop = 0.6

	// Lithium cells, which cells counts, hold 2.5 V when ruined and 4.35 V when full.
	minCellV, maxCellV = 2.5, 4.35
)

func (f *faults) checkPower(r *file) {
	b := r.Battery
	f.Check(b.Cells >= 0 && b.Cells <= maxCells, "battery: cells: %d; legal: 0 (not told) to %d", b.Cells, maxCells)
	f.Check(b.NominalV > 0 && b.NominalV <= maxV, "battery: nominal_v: %g; legal: above 0, at most %d", b.NominalV, maxV)
	f.Check(b.StopV >= minStop*b.NominalV && b.StopV < b.WarnV && b.WarnV < b.NominalV,
		"battery: stop_v %g, warn_v %g, nominal_v %g; legal: %g x nominal_v <= stop_v < warn_v < nominal_v", b.StopV, b.WarnV, b.NominalV, minStop)
	if n := float64(b.Cells); b.Cells > 0 && b.Cells <= maxCells {
		f.Check(b.StopV >= minCellV*n && b.NominalV <= maxCellV*n,
			"battery: stop_v %g, nominal_v %g with cells: %d; legal: %.4g to %.4g V, or no cells where it is not lithium", b.StopV, b.NominalV, b.Cells, minCellV*n, maxCellV*n)
	}
}

// checkBuses returns the protocol of every bus by its name.
func (f *faults) checkBuses(r *file, protocols []string) map[string]string {
	buses := map[string]string{}
	for _, b := range r.Buses {
		_, twice := buses[b.Name]
		f.Check(b.Name != "" && !twice, "buses: name %q is empty or used twice", b.Name)
		f.Check(!strings.ContainsAny(b.Name, "=,"), "buses: name %q; legal: no = and no comma", b.Name)
		f.Check(slices.Contains(protocols, b.Protocol), "buses: %q: protocol %q; legal: %s", b.Name, b.Protocol, strings.Join(protocols, ", "))
		f.Check(b.Baud >= 9600 && b.Baud <= 4500000, "buses: %q: baud %d; legal: 9600 to 4500000", b.Name, b.Baud)
		buses[b.Name] = b.Protocol
	}
	f.Check(len(r.Buses) > 0, "buses: at least one is needed")
	_, known := buses[r.IMU.Bus]
	f.Check(r.IMU == IMU{} || known && legalID(r.IMU.ID), "imu: bus %q, id %d; legal: a bus named above, id 0 to 252", r.IMU.Bus, r.IMU.ID)
	return buses
}

// checkJoints returns the joints as far as they are legal.
func (f *faults) checkJoints(r *file, buses map[string]string, types map[string]ServoType) []Joint {
	var joints []Joint
	names, ids := map[string]int{}, map[string]string{}
	if r.IMU != (IMU{}) {
		ids[fmt.Sprintf("%s/%d", r.IMU.Bus, r.IMU.ID)] = "imu"
	}
	f.Check(len(r.Joints) > 0, "joints: at least one is needed")
	for _, j := range r.Joints {
		at := fmt.Sprintf("line %d: joint %q", j.line, j.Name)
		f.Check(j.Name != "" && names[j.Name] == 0, "%s: the name is empty or used twice", at)
		f.Check(len(j.Name) <= maxName && !strings.Contains(j.Name, ","), "%s: legal names have at most %d characters and no comma", at, maxName)
		names[j.Name]++
		_, named := r.ServoTypes[j.Servo]
		f.Check(named, "%s: servo %q; legal: %s", at, j.Servo, strings.Join(sortedKeys(r.ServoTypes), ", "))
		protocol, wired := buses[j.Bus]
		f.Check(wired, "%s: bus %q is not in buses", at, j.Bus)
		if servo, bound := types[j.Servo]; bound && wired {
			f.Check(servo.Entry.Protocol == protocol, "%s: servo %q speaks %s, bus %q %s", at, j.Servo, servo.Entry.Protocol, j.Bus, protocol)
		}
		f.Check(j.SpeedLimitRadPerS > 0 && j.SpeedLimitRadPerS <= 50, "%s: speed_limit_rad_s %g; legal: above 0, at most 50", at, j.SpeedLimitRadPerS)
		f.Check(within(j.OffsetRad, -2*math.Pi, 2*math.Pi), "%s: offset_rad %g; legal: -6.28 to 6.28", at, j.OffsetRad)
		out := Joint{Name: j.Name, Servo: j.Servo, Bus: j.Bus, OffsetRad: j.OffsetRad, SpeedLimitRadPerS: j.SpeedLimitRadPerS, Sign: 1}
		if j.ID == nil {
			f.Check(false, "%s: id: missing; give the servo's id on bus %q, 0 to 252", at, j.Bus)
		} else {
			key := fmt.Sprintf("%s/%d", j.Bus, *j.ID)
			f.Check(legalID(*j.ID), "%s: id %d; legal: 0 to 252", at, *j.ID)
			f.Check(ids[key] == "", "%s: id %d on bus %q belongs to %q already", at, *j.ID, j.Bus, ids[key])
			ids[key], out.ID = j.Name, *j.ID
		}
		if j.Sign != nil {
			f.Check(*j.Sign == 1 || *j.Sign == -1, "%s: sign %g; legal: 1, -1", at, *j.Sign)
			out.Sign = *j.Sign
		}
		if j.MinRad == nil || j.MaxRad == nil || !(*j.MinRad < *j.MaxRad) || *j.MinRad < -2*math.Pi || *j.MaxRad > 2*math.Pi {
			f.Check(false, "%s: min_rad and max_rad are needed, min_rad < max_rad, within +-6.28", at)
		} else {
			out.MinRad, out.MaxRad = *j.MinRad, *j.MaxRad
		}
		joints = append(joints, out)
	}
	return joints
}

// MaxServoID is the highest id that a device on a servo bus may have: 253 to 255 mean
// something else in every protocol of the catalogue.
const MaxServoID = 252

func legalID(id int) bool { return id >= 0 && id <= MaxServoID }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// faults are what is wrong with a description, and the checks of its parts.
type faults struct{ strictyaml.Faults }
