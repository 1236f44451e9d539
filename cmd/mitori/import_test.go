package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
)

// standing writes a BVH of a person who stands still for five frames, lying on the side if tilt is 90.
func standing(t *testing.T, tilt float64, rename ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("HIERARCHY\nROOT Hips {\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n")
	joints := 0
	chain := func(names string, offsets ...[3]float64) {
		list := strings.Fields(names)
		for k, o := range offsets {
			if k == len(list) {
				fmt.Fprintf(&b, "End Site {\nOFFSET %g %g %g\n}\n", o[0], o[1], o[2])
				continue
			}
			joints++
			fmt.Fprintf(&b, "JOINT %s {\nOFFSET %g %g %g\nCHANNELS 3 Zrotation Xrotation Yrotation\n", list[k], o[0], o[1], o[2])
		}
		b.WriteString(strings.Repeat("}\n", len(list)))
	}
	for s, side := range []string{"Left", "Right"} {
		x := 1 - 2*float64(s)
		chain(side+"UpLeg "+side+"Leg "+side+"Foot", [3]float64{x, 0, 0}, [3]float64{0, -4, 0}, [3]float64{0, -4, 0}, [3]float64{0, -0.8, 1.5})
		chain(side+"Arm "+side+"ForeArm "+side+"Hand", [3]float64{1.5 * x, 5, 0}, [3]float64{3 * x, 0, 0}, [3]float64{2.5 * x, 0, 0}, [3]float64{x, 0, 0})
	}
	chain("Head", [3]float64{0, 7, 0}, [3]float64{0, 1, 0})
	b.WriteString("}\nMOTION\nFrames: 5\nFrame Time: 0.05\n")
	for range 5 {
		fmt.Fprintf(&b, "0 9 0 %g 0 0%s\n", tilt, strings.Repeat(" 0 0 0", joints))
	}
	name := filepath.Join(t.TempDir(), "a.bvh")
	if err := os.WriteFile(name, []byte(strings.NewReplacer(rename...).Replace(b.String())), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestImportSaysWhatItNeeds(t *testing.T) {
	dir := t.TempDir()
	strange := standing(t, 0, "LeftForeArm", "Fin", "Head", "Dome")
	pairs := filepath.Join(dir, "names.txt")
	if err := os.WriteFile(pairs, []byte("# a fish\nl_elbow = Fin\n\nhead=Dome # round\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.txt")
	if err := os.WriteFile(bad, []byte("l_elbow Fin\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "a.human.npz")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{standing(t, 0)}, fault.ExitDone, "5 frames"},
		{[]string{strange}, fault.ExitRefused, "--map l_elbow=NAME"},
		{[]string{strange, "--map", "l_elbow=Fin,head=Dome"}, fault.ExitDone, "5 frames"},
		{[]string{strange, "--map", pairs}, fault.ExitDone, "5 frames"},
		{[]string{strange, "--map", bad}, fault.ExitUsage, `"l_elbow Fin"`},
		{[]string{strange, "--map", filepath.Join(dir, "none.txt")}, fault.ExitFailed, "none.txt"},
		{[]string{strange, "--map", "l_elbow=Fin,l_elbow=Dome"}, fault.ExitUsage, "twice"},
		{[]string{strange, "--map", "nose=Dome"}, fault.ExitUsage, "legal: head"},
		{[]string{standing(t, 90)}, fault.ExitRefused, "--up"},
		{[]string{standing(t, 90), "--up", "y"}, fault.ExitDone, "5 frames"},
		{[]string{standing(t, 0), "--up", "up"}, fault.ExitUsage, "legal: x, y, z"},
		{[]string{standing(t, 0, "5\nFrame Time", "4\nFrame Time")}, fault.ExitDone, "note: 1 lines of numbers"},
	} {
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		code := run(context.Background(), append([]string{"import", "-o", out}, c.args...), &text, &text)
		if code != c.code || !strings.Contains(text.String(), c.want) {
			t.Errorf("%v: exit code %d, want %d; %s lacks %q", c.args, code, c.code, text.String(), c.want)
		}
		if _, err := human.Load(out); (err == nil) != (c.code == fault.ExitDone) {
			t.Errorf("%v: the motion file: %v", c.args, err)
		}
	}
}
