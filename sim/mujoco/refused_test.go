//go:build mujoco && cgo

package mujoco

import (
	"errors"
	"strings"
	"testing"
)

// framework is a model with places for one more attribute or element each.
const framework = `<mujoco><compiler angle="radian" COMPILER/><size memory="1M"/>
<default><joint armature="0.01"/><geom size="0.05 0.04 0.03" type="box"/><position gear="2"/>DEFAULT</default>
<worldbody>
 <body name="b0" pos="0 0 1"><freejoint FREE/><geom mass="1" pos="0.1 0 0"/>
  <body name="b1" pos="0.2 0 0" euler="0.1 0.2 0.3"><joint name="j1" axis="0 1 0" JOINT/><geom euler="0.3 0.4 0.5" GEOM/>CONTENT
   <body name="fixed" pos="0 0.1 0"><geom mass="0.2"/></body>
  </body>
 </body>
 <body name="b2"><joint name="j2"/>INERTIAL</body>
</worldbody>
<actuator><position joint="j1" kp="5" ACTUATOR/></actuator>SECTION
</mujoco>`

// with puts something in one of the places.
func with(place, what string) string {
	text := framework
	for _, p := range []string{"COMPILER", "DEFAULT", "FREE", "JOINT", "GEOM", "CONTENT", "INERTIAL", "ACTUATOR", "SECTION"} {
		switch p {
		case place:
			text = strings.Replace(text, p, what, 1)
		case "INERTIAL":
			text = strings.Replace(text, p, `<inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>`, 1)
		default:
			text = strings.Replace(text, p, "", 1)
		}
	}
	return text
}

// What this project's reader cannot read as the engine does it refuses by name; everything else it reads alike.
func TestWhatIsNotReadAlikeIsRefused(t *testing.T) {
	for _, c := range []struct{ place, what, refused string }{
		{"COMPILER", `fusestatic="true"`, "fusestatic"}, {"COMPILER", `alignfree="true"`, "alignfree"}, {"FREE", `align="true"`, "align"},
		{"FREE", `align="auto"`, ""}, {"COMPILER", `balanceinertia="true"`, ""}, {"COMPILER", `discardvisual="false"`, ""},
		{"COMPILER", `boundinertia="0.01"`, "boundinertia"}, {"COMPILER", `boundinertia="0.0005"`, "boundinertia"}, {"COMPILER", `boundinertia="1e-5"`, ""},
		{"COMPILER", `boundmass="1.5"`, ""}, {"COMPILER", `boundmass="0.5" settotalmass="3"`, ""}, {"COMPILER", `inertiafromgeom="true" inertiagrouprange="0 0"`, ""},
		{"GEOM", `shellinertia="true"`, "shellinertia"}, {"GEOM", `fluidshape="ellipsoid"`, ""}, {"GEOM", `size="0.02"`, ""},
		{"GEOM", `type="capsule" size="0.02"`, ""}, {"GEOM", `type="ellipsoid" size="0.02 0.01"`, ""}, {"GEOM", `type="capsule" fromto="0 0 0 0 0 1"`, ""},
		{"JOINT", `springdamper="1 1"`, "springdamper"}, {"JOINT", `damping="1 2"`, "damping"}, {"JOINT", `stiffness="1 2 3"`, "stiffness"},
		{"JOINT", `type="ball"`, "ball"}, {"JOINT", `range="1 -1"`, "range"}, {"JOINT", `ref="0.3" springref="0.2"`, ""},
		{"ACTUATOR", `armature="0.2"`, "armature"}, {"ACTUATOR", `damping="0.2"`, "damping"}, {"ACTUATOR", `dampratio="1"`, ""},
		{"CONTENT", `<frame pos="0 0 1" euler="1 2 3"><inertial pos="0 0 0" mass="1" diaginertia="1 2 2.5" euler="1 0 0"/></frame>`, ""},
		{"CONTENT", `<frame euler="1 2 3"><inertial pos="0 0.1 0" mass="1" fullinertia="1 1.1 1.2 0.1 0.2 0"/></frame>`, ""},
		{"CONTENT", `<replicate count="2"><geom mass="1"/></replicate>`, "replicate"}, {"CONTENT", `<joint name="late"/>`, ""},
		{"INERTIAL", `<geom mass="1"/>`, ""}, {"SECTION", `<worldbody><geom/></worldbody>`, ""}, {"SECTION", `<default><joint armature="0.5"/></default>`, ""},
		{"SECTION", `<compiler angle="degree"/>`, ""}, {"SECTION", `<keyframe><key name="stand" qpos="0 0 1 2 0 0 1 0 0"/></keyframe>`, ""},
		{"SECTION", `<option gravity="1 2 3"/><option><flag gravity="disable"/></option>`, ""},
		{"DEFAULT", `<default class="x"><joint pos="1 2 3"/></default>`, ""},
	} {
		_, err := compare(with(c.place, c.what), 1)
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.refused != "" && (!errors.Is(err, errOwn) || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: %v; want it refused by name", c.what, err)
		}
	}
	bad := strings.Replace(with("INERTIAL", `<inertial pos="0 0 0" mass="1" diaginertia="1 1 3" euler="0.1 0.2 0.3"/>`), "radian\"", "radian\" balanceinertia=\"true\"", 1)
	if _, err := compare(bad, 1); !errors.Is(err, errOwn) || !strings.Contains(err.Error(), "balanceinertia") {
		t.Errorf("an impossible inertia that the engine balances: %v", err)
	}
}
