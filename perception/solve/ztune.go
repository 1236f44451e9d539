package solve

import (
	"os"
	"strconv"
)

var tuned = map[string]float64{}

func tv(name string, def float64) float64 {
	if v, ok := tuned[name]; ok {
		return v
	}
	v, err := strconv.ParseFloat(os.Getenv("T_"+name), 64)
	if err != nil {
		v = def
	}
	tuned[name] = v
	return v
}

func tk(pre string, k boneKind, def float64) float64 { return tv(pre+"_"+boneNames[k], tv(pre, def)) }

func (p *problem) dbg(what string) {
	if os.Getenv("DBG") == "" {
		return
	}
	f, _ := strconv.Atoi(os.Getenv("DBG"))
	for side := range 2 {
		h := [2]int{13, 0}[0]
		_ = h
		th, sh := boneIndex(thigh, side), boneIndex(shank, side)
		out := what
		for t := f - 20; t <= f+20; t += 5 {
			hip, knee, ankle := p.joint(t, hipJoints[side]), p.joint(t, hipJoints[side]+1), p.joint(t, hipJoints[side]+2)
			a, b := knee.Sub(hip), ankle.Sub(knee)
			out += " | " + s2(p.direction[t][th][2]) + s2(p.direction[t][sh][2]) + " fit " + s2(a[2]/p.length[thigh]) + s2(b[2]/p.length[shank]) + s2(p.touch[t][2*side+1]) + s2(p.still[t][2*side+1])
		}
		println(out)
	}
}

func s2(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + " " }
