package seebench

import (
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// What is right of a clip.
var (
	good     = []string{"good"}
	unsure   = []string{"good", "doubtful"}
	notGood  = []string{"doubtful", "refused"}
	anyGrade = []string{"good", "doubtful", "refused"}
)

// spans are the parts of the motions in which they happen, seconds.
var spans = map[string][2]float64{
	"wave": {1, 4.5}, "squat_arm_raise": {0.5, 4.4}, "side_step": {1, 5.8}, "one_leg_balance": {0.9, 5},
	"march": {0.7, 4.6}, "turn_360": {0.4, 6.9}, "approach": {0.9, 5}, "step_up": {0.6, 4.9}, "kick": {0.8, 4.4},
	"jumps": {0.8, 4.9}, "lying": {0.3, 4.3},
}

const (
	rateFPS  = 20
	goodMm   = 90 // a motion this far off is not good, whatever the clip
	strictMm = 70 // where something had to be set right first
)

// row begins one of the matrix: what it shows, and which verdicts are right.
func row(name, motion string, right []string) Row {
	s := spans[motion]
	return Row{Name: name, Motion: motion, FromS: s[0], ToS: s[1], Verdicts: right, WithinMm: goodMm,
		Options: demonstrator.Options{FPS: rateFPS}}
}

// with changes its scene.
func (r Row) with(change func(o *demonstrator.Options)) Row {
	change(&r.Options)
	return r
}

func (r Row) unseen(parts ...string) Row { r.Unseen = parts; return r }
func (r Row) within(mm float64) Row      { r.WithinMm = mm; return r }
func (r Row) causal() Row                { r.Causal = true; return r }

func (r Row) camera(c demonstrator.Camera) Row {
	return r.with(func(o *demonstrator.Options) { o.Camera = c })
}
func (r Row) picture(p demonstrator.Picture) Row {
	return r.with(func(o *demonstrator.Options) { o.Picture = p })
}
func (r Row) moves(m demonstrator.Moves) Row {
	return r.with(func(o *demonstrator.Options) { o.Moves = m }).within(strictMm)
}
func (r Row) second(does, clothes string) Row {
	return r.with(func(o *demonstrator.Options) { o.Second = demonstrator.Second{Does: does, Clothes: clothes} })
}
func (r Row) prop(p string) Row {
	return r.with(func(o *demonstrator.Options) { o.Props = []string{p} })
}
func (r Row) look(l demonstrator.Look) Row {
	return r.with(func(o *demonstrator.Options) { o.Look = l })
}
func (r Row) fps(f float64) Row {
	return r.with(func(o *demonstrator.Options) { o.FPS = f })
}

// Matrix is the clips that are measured, in their order.
func Matrix() []Row {
	var all []Row
	for _, rows := range [][]Row{motions(), cameras(), company(), hidden(), moves(), pictures(), lights()} {
		all = append(all, rows...)
	}
	return all
}

func motions() []Row {
	far := demonstrator.Camera{DistanceM: 4.8}
	return []Row{
		row("motion/wave", "wave", good).causal(),
		row("motion/squat", "squat_arm_raise", good).causal(),
		row("motion/side-step", "side_step", good),
		row("motion/one-leg", "one_leg_balance", good).causal(),
		row("motion/march", "march", good).causal(),
		row("motion/turn", "turn_360", unsure),
		row("motion/approach", "approach", unsure).camera(far),
		row("motion/step-up", "step_up", unsure).camera(far),
		row("motion/kick", "kick", unsure),
		row("motion/jumps", "jumps", unsure),
		row("motion/lying", "lying", anyGrade).camera(demonstrator.Camera{AzimuthDeg: 75, HeightM: 1.3}),
		row("motion/march-small", "march", good).with(func(o *demonstrator.Options) {
			o.HeightM, o.Seed, o.Look = 1.5, 7, demonstrator.Look{Shirt: "#b5483a", Trousers: "#8a7f6a", Hair: "#c8a45a"}
		}),
		row("motion/wave-tall", "wave", good).with(func(o *demonstrator.Options) {
			o.HeightM, o.Seed, o.Camera.DistanceM = 1.92, 3, 4
			o.Look = demonstrator.Look{Shirt: "#e8e4da", Skin: "#7d5138", Hair: "#15110f", Background: "studio"}
		}),
		row("motion/squat-seed", "squat_arm_raise", good).with(func(o *demonstrator.Options) {
			o.Seed, o.Look.Background = 5, "garden"
		}),
	}
}

func cameras() []Row {
	at := func(name, motion string, right []string, c demonstrator.Camera) Row {
		return row("camera/"+name, motion, right).camera(c)
	}
	type cam = demonstrator.Camera
	return []Row{
		at("march-0.4m", "march", good, cam{HeightM: 0.4}),
		at("march-0.6m", "march", good, cam{HeightM: 0.6}),
		at("march-1.2m", "march", good, cam{HeightM: 1.2}),
		at("march-1.4m", "march", good, cam{HeightM: 1.4}),
		at("march-1.6m", "march", good, cam{HeightM: 1.6}),
		at("march-2.0m", "march", unsure, cam{HeightM: 2}),
		at("march-near-high", "march", unsure, cam{HeightM: 1.6, DistanceM: 3}),
		at("march-left-30", "march", good, cam{AzimuthDeg: 30}),
		at("march-right-30", "march", good, cam{AzimuthDeg: -30}),
		at("march-left-60", "march", unsure, cam{AzimuthDeg: 60}),
		at("march-side", "march", unsure, cam{AzimuthDeg: 90}),
		at("march-behind", "march", unsure, cam{AzimuthDeg: 180}),
		at("one-leg-behind", "one_leg_balance", unsure, cam{AzimuthDeg: 180}),
		at("squat-behind-left", "squat_arm_raise", unsure, cam{AzimuthDeg: 140}),
		at("wave-far", "wave", good, cam{DistanceM: 7}),
		at("march-wide-lens", "march", unsure, cam{DistanceM: 2.3, FovDeg: 58}),
		at("march-long-lens", "march", good, cam{DistanceM: 6, FovDeg: 23}),
		at("squat-1.6m", "squat_arm_raise", good, cam{HeightM: 1.6}),
	}
}

func company() []Row {
	return []Row{
		row("person/stand-other", "wave", unsure).second("stand", "other"),
		row("person/stand-alike", "march", unsure).second("stand", "alike"),
		row("person/pass-other", "squat_arm_raise", unsure).second("pass", "other"),
		row("person/before-other", "march", unsure).second("before", "other"),
		row("person/before-alike", "march", anyGrade).second("before", "alike"),
		row("person/before-wave", "wave", unsure).second("before", "other"),
		row("person/behind-other", "wave", unsure).second("behind", "other"),
		row("person/behind-alike", "side_step", unsure).second("behind", "alike"),
	}
}

func hidden() []Row {
	type pic = demonstrator.Picture
	return []Row{
		row("hidden/table-squat", "squat_arm_raise", anyGrade).prop("table").within(1e3).unseen("legs"),
		row("hidden/table-wave", "wave", anyGrade).prop("table").within(1e3).unseen("legs"),
		row("hidden/pillar-arm", "wave", unsure).prop("pillar:0.2").unseen("left arm"),
		row("hidden/pillar-passed", "side_step", unsure).prop("pillar:0.1").unseen("left leg"),
		row("hidden/cut-legs", "march", anyGrade).picture(pic{CutBottom: 0.45}).within(1e3).unseen("legs"),
		row("hidden/cut-legs-wave", "wave", anyGrade).picture(pic{CutBottom: 0.5}).within(1e3).unseen("legs"),
		row("hidden/cut-feet", "march", notGood).picture(pic{CutBottom: 0.24}).unseen("feet"),
		row("hidden/cut-head", "march", unsure).picture(pic{CutTop: 0.14}),
		row("hidden/cut-right", "squat_arm_raise", anyGrade).picture(pic{CutRight: 0.36}).unseen("left arm").within(strictMm),
		row("hidden/only-legs", "march", notGood).picture(pic{CutTop: 0.52}),
		row("hidden/too-near", "approach", notGood),
	}
}

func moves() []Row {
	type mov = demonstrator.Moves
	return []Row{
		row("move/shake-0.3", "march", unsure).moves(mov{ShakeDeg: 0.3, SwayM: 0.005}),
		row("move/shake-1", "march", anyGrade).moves(mov{ShakeDeg: 1, SwayM: 0.02}),
		row("move/shake-2.5", "wave", anyGrade).moves(mov{ShakeDeg: 2.5, SwayM: 0.04}),
		row("move/sway", "squat_arm_raise", anyGrade).moves(mov{SwayM: 0.08}),
		row("move/pan-12", "march", anyGrade).moves(mov{PanDeg: 12}),
		row("move/pan-20", "one_leg_balance", anyGrade).moves(mov{PanDeg: 20}),
		row("move/follow", "side_step", anyGrade).moves(mov{Follow: true}),
	}
}

func pictures() []Row {
	type pic = demonstrator.Picture
	of := func(name string, right []string, p pic) Row { return row("picture/"+name, "march", right).picture(p) }
	return []Row{
		of("rotate-90", good, pic{RotateDeg: 90}),
		of("rotate-180", good, pic{RotateDeg: 180}),
		of("rotate-270", good, pic{RotateDeg: 270}),
		of("sideways", anyGrade, pic{RotateDeg: 90, Unflagged: true}).within(strictMm),
		of("aspect-2", good, pic{PixelAspect: 2}),
		of("aspect-0.7", good, pic{PixelAspect: 0.7}),
		of("noise-20", good, pic{Noise: 20}),
		of("crf-40", unsure, pic{CRF: 40}),
		of("uneven", good, pic{Uneven: true}),
		row("picture/fps-10", "march", unsure).fps(10),
		row("picture/fps-30", "march", good).fps(30),
		row("picture/fps-50", "wave", good).fps(50).with(func(o *demonstrator.Options) { o.Seed = 2 }),
		of("aspect-noise-uneven", unsure, pic{PixelAspect: 1.5, Noise: 15, Uneven: true, CRF: 32}),
	}
}

func lights() []Row {
	type look = demonstrator.Look
	return []Row{
		row("light/dim", "march", good).look(look{Light: 0.45}),
		row("light/dark-noise", "march", unsure).look(look{Light: 0.22}).picture(demonstrator.Picture{Noise: 14, CRF: 32}),
		row("light/window", "march", unsure).look(look{Backlight: 0.8}),
		row("light/sun-behind", "squat_arm_raise", unsure).look(look{Backlight: 0.9, Background: "garden"}),
		row("light/garden", "march", good).look(look{Background: "garden"}),
		row("light/bright-studio", "wave", good).look(look{Background: "studio", Light: 1.5}),
		row("light/dark-clothes", "one_leg_balance", unsure).look(
			look{Light: 0.5, Shirt: "#1c1d20", Trousers: "#191a1c", Shoes: "#151515"}),
	}
}
