package robot

import "github.com/mitori-robotics/mitori/models/servos"

// fileServo is one entry of servo_types. All keys may be left out.
type fileServo struct {
	Type               string   `yaml:"type"` // of the catalogue; default: the entry's own key
	ModelNumber        *int     `yaml:"model_number"`
	CountsPerTurn      *int     `yaml:"counts_per_turn"`
	StallTorqueNm      *float64 `yaml:"stall_torque_nm"`
	NoLoadSpeedRadPerS *float64 `yaml:"no_load_speed_rad_s"`
	PositionPGain      *int     `yaml:"position_p_gain"`
	StiffnessNmPerRad  *float64 `yaml:"stiffness_nm_rad"`
	DampingNmSPerRad   *float64 `yaml:"damping_nms_rad"`
	MaxTempC           *float64 `yaml:"max_temp_c"`
}

const (
	maxStiffnessNmPerRad = 100_000
	maxDampingNmSPerRad  = 10_000
	minTempC             = 50
	// aboveSheet is how much more than its data sheet a servo may claim, for what was
	// measured or rounded. Failsafes are derived from these numbers.
	aboveSheet = 1.1
)

// bindServos returns the servo types that the catalogue knows, complete.
func (f *faults) bindServos(r *file, catalogue servos.Catalogue) map[string]ServoType {
	bound := map[string]ServoType{}
	for _, name := range sortedKeys(r.ServoTypes) {
		s := r.ServoTypes[name]
		if s.Type == "" {
			s.Type = name
		}
		entry, known := catalogue.Named(s.Type)
		f.Check(known, "servo_types: %q: type %q is not in the catalogue; legal: %s", name, s.Type, catalogue.Names())
		if known {
			bound[name] = f.bindServo(name, &s, entry, r.Battery.NominalV)
		}
	}
	return bound
}

// bindServo completes one type at the robot's nominal voltage.
func (f *faults) bindServo(name string, s *fileServo, entry servos.Type, nominalV float64) ServoType {
	f.Check(within(nominalV, entry.MinV, entry.MaxV), "servo_types: %q: battery: nominal_v: %g; an %s takes %g to %g V",
		name, nominalV, entry.Title, entry.MinV, entry.MaxV)
	fact := func(key string, given *int, sheet int) int {
		f.Check(given == nil || *given == sheet, "servo_types: %q: %s: %d; legal: %d, or leave it out", name, key, deref(given), sheet)
		return sheet
	}
	between := func(key string, given *float64, sheet, low, high float64) float64 {
		if given == nil {
			return sheet
		}
		f.Check(within(*given, low, high), "servo_types: %q: %s: %g; legal: %g to %.4g, or leave it out", name, key, *given, low, high)
		return *given
	}
	above := func(key string, given *float64, sheet, high float64) float64 {
		if given == nil {
			return sheet
		}
		f.Check(*given > 0 && *given <= high, "servo_types: %q: %s: %g; legal: above 0, at most %.4g, or leave it out", name, key, *given, high)
		return *given
	}
	supply := nominalV / entry.AtV
	stall, speed := entry.StallTorqueNm*supply, entry.NoLoadRadPerS*supply
	out := ServoType{
		Entry: entry, ModelNumber: fact("model_number", s.ModelNumber, int(entry.ModelNumber)),
		CountsPerTurn:      fact("counts_per_turn", s.CountsPerTurn, entry.CountsPerTurn),
		StallTorqueNm:      above("stall_torque_nm", s.StallTorqueNm, stall, aboveSheet*stall),
		NoLoadSpeedRadPerS: above("no_load_speed_rad_s", s.NoLoadSpeedRadPerS, speed, aboveSheet*speed),
		MaxTempC:           between("max_temp_c", s.MaxTempC, entry.MaxTempC, minTempC, entry.MaxTempC),
		PositionPGain:      entry.Factory.PositionPGain,
	}
	if s.PositionPGain != nil {
		out.PositionPGain = *s.PositionPGain
		f.Check(out.PositionPGain >= 0 && out.PositionPGain <= entry.MaxPGain, "servo_types: %q: position_p_gain: %d; legal: 0 to %d", name, out.PositionPGain, entry.MaxPGain)
	}
	out.StiffnessNmPerRad = above("stiffness_nm_rad", s.StiffnessNmPerRad, entry.DutyPerRad(out.PositionPGain)*out.StallTorqueNm, maxStiffnessNmPerRad)
	out.DampingNmSPerRad = between("damping_nms_rad", s.DampingNmSPerRad, out.StallTorqueNm/out.NoLoadSpeedRadPerS, 0, maxDampingNmSPerRad)
	return out
}

func deref(p *int) int {
	if p == nil {
		return 0
	}
	return *p
}
