package robot

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
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
	ServoTypes    map[string]ServoType `yaml:"servo_types"`
	Joints        []fileJoint          `yaml:"joints"`
}

type fileJoint struct {
	line           int
	Name           string   `yaml:"name"`
	Servo          string   `yaml:"servo"`
	Bus            string   `yaml:"bus"`
	ID             *int     `yaml:"id"`
	Sign           *float64 `yaml:"sign"`
	OffsetRad      float64  `yaml:"offset_rad"`
	MinRad         *float64 `yaml:"min_rad"`
	MaxRad         *float64 `yaml:"max_rad"`
	SpeedLimitRadS float64  `yaml:"speed_limit_rad_s"`
}

// parse returns the description and the name of the MJCF file. It reports every
// fault it finds, one a line.
func parse(text []byte) (*Description, string, error) {
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		var te *yaml.TypeError
		if errors.As(err, &te) {
			return nil, "", faults(te.Errors).err()
		}
		return nil, "", err
	}
	noteLines(text, &f)
	var bad faults
	bad.check(f.Schema == 1, "schema: %d is unknown; legal: 1", f.Schema)
	bad.check(f.Name != "", "name: missing")
	bad.check(f.Model != "" && !strings.ContainsAny(f.Model, "/\\"), "model: %q must name an MJCF file in the same folder", f.Model)
	bad.check(f.RootBody != "", "root_body: missing; name the MJCF body with the free joint")
	bad.check(f.StandKeyframe != "", "stand_keyframe: missing; name a <key> of the MJCF")
	bad.check(f.PolicyRateHz >= 10 && f.PolicyRateHz <= 500, "policy_rate_hz: %g; legal: 10 to 500", f.PolicyRateHz)
	ratio := f.LoopRateHz / f.PolicyRateHz
	bad.check(f.LoopRateHz <= 1000 && ratio >= 1 && ratio == math.Trunc(ratio), "loop_rate_hz: %g; legal: a whole multiple of policy_rate_hz, at most 1000", f.LoopRateHz)
	bad.check(f.Battery.StopV > 0 && f.Battery.StopV < f.Battery.WarnV && f.Battery.WarnV < f.Battery.NominalV,
		"battery: stop_v %g, warn_v %g, nominal_v %g; legal: 0 < stop_v < warn_v < nominal_v", f.Battery.StopV, f.Battery.WarnV, f.Battery.NominalV)
	buses := map[string]bool{}
	for _, b := range f.Buses {
		bad.check(b.Name != "" && !buses[b.Name], "buses: name %q is empty or used twice", b.Name)
		bad.check(b.Protocol == "dynamixel2", "buses: %s: protocol %q; legal: dynamixel2", b.Name, b.Protocol)
		bad.check(b.Baud >= 9600 && b.Baud <= 4500000, "buses: %s: baud %d; legal: 9600 to 4500000", b.Name, b.Baud)
		buses[b.Name] = true
	}
	bad.check(len(f.Buses) > 0, "buses: at least one is needed")
	bad.check(f.IMU == IMU{} || (buses[f.IMU.Bus] && legalID(f.IMU.ID)), "imu: bus %q, id %d; legal: a bus named above, id 0 to 252", f.IMU.Bus, f.IMU.ID)
	for _, n := range sortedKeys(f.ServoTypes) {
		s := f.ServoTypes[n]
		bad.check(s.CountsPerTurn > 0 && s.StallTorqueNm > 0 && s.NoLoadSpeedRadS > 0 && s.StiffnessNmRad > 0 && s.DampingNmsRad >= 0,
			"servo_types: %s: counts_per_turn, stall_torque_nm, no_load_speed_rad_s and stiffness_nm_rad must be above 0", n)
	}
	d := &Description{
		Name: f.Name, RootBody: f.RootBody, StandKeyframe: f.StandKeyframe, PolicyRateHz: f.PolicyRateHz, LoopRateHz: f.LoopRateHz,
		Battery: f.Battery, Buses: f.Buses, IMU: f.IMU, ServoTypes: f.ServoTypes,
	}
	names, ids := map[string]int{}, map[string]string{}
	if f.IMU != (IMU{}) {
		ids[fmt.Sprintf("%s/%d", f.IMU.Bus, f.IMU.ID)] = "imu"
	}
	bad.check(len(f.Joints) > 0, "joints: at least one is needed")
	for _, j := range f.Joints {
		at := fmt.Sprintf("line %d: joint %q", j.line, j.Name)
		bad.check(j.Name != "" && names[j.Name] == 0, "%s: the name is empty or used twice", at)
		names[j.Name]++
		_, known := f.ServoTypes[j.Servo]
		bad.check(known, "%s: servo %q; legal: %s", at, j.Servo, strings.Join(sortedKeys(f.ServoTypes), ", "))
		bad.check(buses[j.Bus], "%s: bus %q is not in buses", at, j.Bus)
		bad.check(j.SpeedLimitRadS > 0 && j.SpeedLimitRadS <= 50, "%s: speed_limit_rad_s %g; legal: above 0, at most 50", at, j.SpeedLimitRadS)
		out := Joint{Name: j.Name, Servo: j.Servo, Bus: j.Bus, OffsetRad: j.OffsetRad, SpeedLimitRadS: j.SpeedLimitRadS, Sign: 1}
		if j.ID == nil {
			bad.check(false, "%s: id: missing; give the servo's id on bus %q, 0 to 252", at, j.Bus)
		} else {
			key := fmt.Sprintf("%s/%d", j.Bus, *j.ID)
			bad.check(legalID(*j.ID), "%s: id %d; legal: 0 to 252", at, *j.ID)
			bad.check(ids[key] == "", "%s: id %d on bus %q belongs to %q already", at, *j.ID, j.Bus, ids[key])
			ids[key], out.ID = j.Name, *j.ID
		}
		if j.Sign != nil {
			bad.check(*j.Sign == 1 || *j.Sign == -1, "%s: sign %g; legal: 1, -1", at, *j.Sign)
			out.Sign = *j.Sign
		}
		if j.MinRad == nil || j.MaxRad == nil || !(*j.MinRad < *j.MaxRad) || *j.MinRad < -2*math.Pi || *j.MaxRad > 2*math.Pi {
			bad.check(false, "%s: min_rad and max_rad are needed, min_rad < max_rad, within +-6.28", at)
		} else {
			out.MinRad, out.MaxRad = *j.MinRad, *j.MaxRad
		}
		d.Joints = append(d.Joints, out)
	}
	return d, f.Model, bad.err()
}

// noteLines finds the line of each joint for error messages.
func noteLines(text []byte, f *file) {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) == 0 {
		return
	}
	root := doc.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "joints" {
			continue
		}
		for k, n := range root.Content[i+1].Content {
			if k < len(f.Joints) {
				f.Joints[k].line = n.Line
			}
		}
	}
}

func legalID(id int) bool { return id >= 0 && id <= 252 }

func sortedKeys[V any](m map[string]V) []string {
	var s []string
	for k := range m {
		s = append(s, k)
	}
	sort.Strings(s)
	return s
}

type faults []string

func (f *faults) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return errors.New("  " + strings.Join(f, "\n  "))
}
