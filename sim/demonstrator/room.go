package demonstrator

import (
	"fmt"
	"strings"
)

// scene returns the whole model: light, place, mannequin and shadows.
func scene(o Options) string {
	var b strings.Builder
	back := o.Look.Backlight
	l := o.Look.Light * (1 - 0.72*back)
	fmt.Fprintf(&b, `<mujoco model="demonstrator">
<compiler angle="degree" autolimits="true"/>
<visual>
  <headlight ambient="%.3f %.3f %.3f" diffuse="%.3f %.3f %.3f" specular="0 0 0"/>
  <map znear="0.02" zfar="60" shadowclip="2.5"/>
  <quality shadowsize="2048" numslices="16" numstacks="12"/>
</visual>
<statistic extent="2" center="0 0 1"/>
<default><geom contype="0" conaffinity="0" mass="0" material="matte"/></default>
<asset>
  <material name="matte" specular="0.08" shininess="0.1"/>
  <texture name="boards" type="2d" builtin="checker" rgb1="0.66 0.53 0.40" rgb2="0.63 0.50 0.375" width="256" height="256" mark="edge" markrgb="0.52 0.40 0.30"/>
  <material name="boards" texture="boards" texrepeat="5 1.6" texuniform="true" specular="0.05" reflectance="0.04"/>
  <texture name="grass" type="2d" builtin="flat" rgb1="0.36 0.52 0.27" width="256" height="256" mark="random" markrgb="0.42 0.58 0.30" random="0.3"/>
  <material name="grass" texture="grass" texrepeat="2 2" texuniform="true" specular="0"/>
  <material name="daylight" emission="1" specular="0" rgba="0.97 0.98 1 1"/>
  <texture name="sky" type="skybox" builtin="gradient" rgb1="0.55 0.72 0.88" rgb2="0.88 0.92 0.95" width="128" height="768"/>
</asset>
<worldbody>
<light pos="2.2 1.4 3.2" dir="-0.55 -0.35 -0.8" directional="true" diffuse="%.3f %.3f %.3f" specular="0.1 0.1 0.1" castshadow="true"/>
<light pos="1 -2 2.5" dir="-0.3 0.7 -0.6" directional="true" diffuse="%.3f %.3f %.3f" specular="0 0 0" castshadow="false"/>
`, 0.42*l, 0.42*l, 0.43*l, 0.20*l, 0.20*l, 0.20*l, 0.46*l, 0.45*l, 0.42*l, 0.14*l, 0.15*l, 0.17*l)
	if back > 0 {
		fmt.Fprintf(&b, `<light pos="-3 0.6 3" dir="0.8 -0.15 -0.55" directional="true" diffuse="%.3f %.3f %.3f" specular="0.2 0.2 0.2" castshadow="true"/>`+"\n",
			0.9*back, 0.88*back, 0.82*back)
	}
	fmt.Fprintf(&b, `<frame pos="%.4f %.4f 0">`+"\n", o.StageM[0], o.StageM[1])
	b.WriteString(map[string]string{"room": room, "studio": studio, "garden": garden}[o.Look.Background])
	if back > 0 && o.Look.Background != "garden" { // whose sky is bright enough
		fmt.Fprintf(&b, brightWindow, back)
	}
	b.WriteString("</frame>\n")
	for _, p := range o.props() {
		b.WriteString(p.draw())
	}
	b.WriteString(mannequin("", o.HeightM, o.Look.outfit()))
	b.WriteString(shadows("", o.HeightM))
	if o.Second.Does != "" {
		b.WriteString(mannequin("second_", o.Second.HeightM, o.secondLook()))
		b.WriteString(shadows("second_", o.Second.HeightM))
	}
	b.WriteString("</worldbody>\n</mujoco>\n")
	return b.String()
}

// The places are fixed to the camera's side of the world: the person turns with
// the camera's azimuth, the room stays.
const room = `
<geom type="plane" size="6 6 0.1" material="boards"/>
<geom type="box" size="0.05 4 1.6" pos="-1.75 0 1.6" rgba="0.83 0.82 0.77 1"/>
<geom type="box" size="3 0.05 1.6" pos="1.0 3.0 1.6" rgba="0.78 0.77 0.72 1"/>
<geom type="box" size="3 0.05 1.6" pos="1.0 -3.0 1.6" rgba="0.78 0.77 0.72 1"/>
<geom type="box" size="0.012 4 0.05" pos="-1.69 0 0.05" rgba="0.93 0.92 0.89 1"/>
<geom type="box" size="0.95 1.25 0.002" pos="0.05 0 0" rgba="0.66 0.62 0.54 1"/>
<geom type="box" size="0.88 1.18 0.0035" pos="0.05 0 0" rgba="0.76 0.73 0.66 1"/>
<geom type="box" size="0.80 1.10 0.0042" pos="0.05 0 0" rgba="0.72 0.69 0.61 1"/>
<body pos="-1.45 -1.05 0">
  <geom type="box" size="0.20 0.34 0.02" pos="0 0 0.80" rgba="0.50 0.36 0.25 1"/>
  <geom type="box" size="0.20 0.34 0.02" pos="0 0 0.42" rgba="0.50 0.36 0.25 1"/>
  <geom type="box" size="0.20 0.02 0.41" pos="0 0.33 0.40" rgba="0.46 0.33 0.22 1"/>
  <geom type="box" size="0.20 0.02 0.41" pos="0 -0.33 0.40" rgba="0.46 0.33 0.22 1"/>
  <geom type="box" size="0.20 0.34 0.02" pos="0 0 0.06" rgba="0.50 0.36 0.25 1"/>
  <geom type="box" size="0.10 0.018 0.13" pos="0.05 0.20 0.57" rgba="0.62 0.30 0.26 1"/>
  <geom type="box" size="0.10 0.022 0.14" pos="0.05 0.15 0.58" rgba="0.30 0.42 0.52 1"/>
  <geom type="box" size="0.10 0.016 0.12" pos="0.05 0.105 0.56" rgba="0.80 0.70 0.45 1"/>
  <geom type="box" size="0.10 0.020 0.135" pos="0.05 0.065 0.575" rgba="0.36 0.48 0.38 1"/>
  <geom type="cylinder" size="0.07 0.06" pos="0.02 -0.16 0.88" rgba="0.78 0.48 0.36 1"/>
  <geom type="ellipsoid" size="0.10 0.11 0.12" pos="0.02 -0.16 1.03" rgba="0.34 0.50 0.32 1"/>
  <geom type="ellipsoid" size="0.07 0.08 0.10" pos="0.04 -0.22 1.12" rgba="0.40 0.57 0.36 1"/>
  <geom type="box" size="0.14 0.14 0.10" pos="0 -0.12 0.18" rgba="0.72 0.66 0.56 1"/>
</body>
<body pos="-1.69 0.95 1.55">
  <geom type="box" size="0.012 0.30 0.22" rgba="0.36 0.30 0.26 1"/>
  <geom type="box" size="0.014 0.27 0.19" rgba="0.90 0.88 0.82 1"/>
  <geom type="ellipsoid" size="0.004 0.085 0.085" pos="0.014 0.06 0.03" rgba="0.85 0.50 0.34 1"/>
  <geom type="box" size="0.0155 0.27 0.05" pos="0 0 -0.14" rgba="0.35 0.50 0.52 1"/>
</body>
<body pos="-1.35 1.15 0">
  <geom type="cylinder" size="0.15 0.012" pos="0 0 0.012" rgba="0.28 0.28 0.30 1"/>
  <geom type="capsule" size="0.012" fromto="0 0 0.02 0 0 1.15" rgba="0.28 0.28 0.30 1"/>
  <geom type="ellipsoid" size="0.15 0.15 0.13" pos="0 0 1.24" rgba="0.96 0.90 0.74 1"/>
</body>
`

// brightWindow stands before the wall; its frame is drawn over it.
const brightWindow = `
<geom type="box" size="0.008 1.15 0.85" pos="-1.66 0 1.35" rgba="0.97 0.98 1 %[1]g" material="daylight"/>
<geom type="box" size="0.020 1.19 0.03" pos="-1.66 0 0.48" rgba="0.35 0.33 0.31 1"/>
<geom type="box" size="0.020 1.19 0.03" pos="-1.66 0 2.22" rgba="0.35 0.33 0.31 1"/>
<geom type="box" size="0.020 0.025 0.87" pos="-1.66 0 1.35" rgba="0.35 0.33 0.31 1"/>
<geom type="box" size="0.020 0.03 0.87" pos="-1.66 1.17 1.35" rgba="0.35 0.33 0.31 1"/>
<geom type="box" size="0.020 0.03 0.87" pos="-1.66 -1.17 1.35" rgba="0.35 0.33 0.31 1"/>
`

const studio = `
<geom type="plane" size="8 8 0.1" rgba="0.74 0.75 0.77 1"/>
<geom type="box" size="0.05 6 3" pos="-2.2 0 3" rgba="0.80 0.81 0.83 1"/>
`

const garden = `
<geom type="plane" size="30 30 0.1" material="grass"/>
<geom type="box" size="0.05 8 0.5" pos="-4 0 0.5" rgba="0.60 0.48 0.36 1"/>
<geom type="ellipsoid" size="0.7 1.1 0.9" pos="-3.2 -1.9 0.5" rgba="0.28 0.45 0.25 1"/>
<geom type="ellipsoid" size="0.6 0.8 0.7" pos="-3.0 -0.9 0.3" rgba="0.33 0.50 0.28 1"/>
<geom type="capsule" size="0.14" fromto="-3.3 1.7 0 -3.3 1.7 1.8" rgba="0.42 0.31 0.22 1"/>
<geom type="ellipsoid" size="1 1.1 0.9" pos="-3.3 1.7 2.5" rgba="0.30 0.47 0.26 1"/>
`
