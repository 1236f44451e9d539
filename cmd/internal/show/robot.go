package show

import (
	"fmt"
	"io"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/kin/anatomy"
	"github.com/mitori-robotics/mitori/models/robot"
)

// RobotFacts is what 'robot show' says about a robot.
type RobotFacts struct {
	Name    string                     `json:"name"`
	Source  string                     `json:"source"`
	Hash    string                     `json:"hash"`
	HeightM float64                    `json:"height_m"`
	MassKg  float64                    `json:"mass_kg"`
	LegM    float64                    `json:"leg_m"`
	UpperM  float64                    `json:"upper_arm_m"`
	ForeM   float64                    `json:"forearm_m"`
	SoleM   [2]float64                 `json:"sole_m"`
	Parts   map[string]string          `json:"parts"`
	Joints  []robot.Joint              `json:"joints"`
	Servos  map[string]robot.ServoType `json:"servo_types"`
	Notes   []string                   `json:"notes"`
}

// Facts gathers what is known of a robot.
func Facts(b *body.Body, an *anatomy.Anatomy) RobotFacts {
	desc, km := b.Desc, b.Kin
	name := func(b int) string { return km.Tree.Bodies[b].Name }
	parts := map[string]string{"root": name(an.Root), "chest": name(an.Chest)}
	if an.Head >= 0 {
		parts["head"] = name(an.Head)
	}
	for s := range an.Legs {
		side, l := anatomy.Side(s).String(), an.Legs[s]
		parts[side+" thigh"], parts[side+" shank"], parts[side+" foot"] = name(l.Hip.Body), name(l.Knee.Body), name(l.Foot)
		if an.HasArms {
			parts[side+" upper arm"], parts[side+" forearm"] = name(an.Arms[s].Shoulder.Body), name(an.Arms[s].End.Body)
		}
	}
	l, a := an.Legs[0], an.Arms[0]
	notes := append(append([]string{}, km.Tree.Notes...), an.Notes...)
	return RobotFacts{Name: desc.Name, Source: desc.Source, Hash: desc.Hash, HeightM: an.HeightM, MassKg: km.MassKg,
		LegM: an.LegLengthM(), UpperM: a.UpperM, ForeM: a.ForeM, SoleM: [2]float64{2 * l.HalfSizeM[0], 2 * l.HalfSizeM[1]},
		Parts: parts, Joints: desc.Joints, Servos: desc.ServoTypes, Notes: notes}
}

// Robot prints the facts about a robot.
func Robot(w io.Writer, f RobotFacts) {
	fmt.Fprintf(w, "%s (%s)\nhash %s\n", f.Name, f.Source, f.Hash)
	fmt.Fprintf(w, "%.2f m high standing, %.2f kg; leg %.3f m, upper arm %.3f m, forearm %.3f m, sole %.3f x %.3f m\n",
		f.HeightM, f.MassKg, f.LegM, f.UpperM, f.ForeM, f.SoleM[0], f.SoleM[1])
	for _, p := range []string{"root", "chest", "head", "left upper arm", "left forearm", "right upper arm", "right forearm",
		"left thigh", "left shank", "left foot", "right thigh", "right shank", "right foot"} {
		if b, ok := f.Parts[p]; ok {
			fmt.Fprintf(w, "  %-16s %s\n", p, b)
		}
	}
	fmt.Fprintf(w, "%-18s %4s %-14s %5s %7s %7s %7s\n", "joint", "id", "servo", "sign", "min", "max", "rad/s")
	for _, j := range f.Joints {
		fmt.Fprintf(w, "%-18s %4d %-14s %+5.0f %7.2f %7.2f %7.1f\n", j.Name, j.ID, j.Servo, j.Sign, j.MinRad, j.MaxRad, j.SpeedLimitRadPerS)
	}
	for _, n := range f.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}
