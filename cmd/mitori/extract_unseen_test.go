package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/motion"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// TestUpperBody: somebody who squats and raises the arms, filmed from the waist up, is
// extracted with a word about the legs, and the robot does the arms on legs that stand.
func TestUpperBody(t *testing.T) {
	c := newClipMaker(t)
	clip := c.alter("upper", []string{c.film("squat", "squat_arm_raise", 0, 3, demonstrator.Options{})}, "[0:v]crop=iw:ih*0.5:0:0")
	seen, moved := filepath.Join(c.dir, "u.human.npz"), filepath.Join(c.dir, "u.motion.npz")
	code, e := extractJSON(t, clip, seen)
	if code != fault.ExitDone || e.Grade != verdict.Doubtful || len(e.Unseen) == 0 || e.Unseen[0].Part != "legs" {
		t.Fatalf("exit code %d, %+v", code, e)
	}
	var said bytes.Buffer
	if code := run(t.Context(), []string{"retarget", seen, "--robot", "kata20", "-o", moved}, &said, &said); code != fault.ExitDone ||
		!strings.Contains(said.String(), "legs were not seen: they stand still") {
		t.Fatalf("retarget: exit code %d: %s", code, said.String())
	}
	m, err := motion.Load(moved)
	if err != nil {
		t.Fatal(err)
	}
	for k, name := range m.JointNames {
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range m.Frames {
			lo, hi = min(lo, m.Frames[i].JointPosRad[k]), max(hi, m.Frames[i].JointPosRad[k])
		}
		deg := (hi - lo) * 180 / math.Pi
		if strings.Contains(name, "shoulder_roll") && deg < 20 || !strings.Contains(name, "shoulder") && !strings.Contains(name, "elbow") && deg > 6 {
			t.Errorf("%s moves by %.1f degrees", name, deg)
		}
	}
}

// TestBehindFurniture: a limb behind something that is no part of the body is named, one
// leg in doubt, an arm without; the network that is used by default tells.
func TestBehindFurniture(t *testing.T) {
	c := newClipMaker(t)
	clip := c.film("march", "march", 0.5, 3, demonstrator.Options{})
	for part, k := range map[string]struct {
		box  string
		want verdict.Grade
	}{
		"left leg":  {"drawbox=x=140:y=180:w=148:h=180:color=0x705030:t=fill", verdict.Doubtful},
		"right arm": {"drawbox=x=60:y=115:w=60:h=110:color=0xa0a090:t=fill", verdict.Good},
	} {
		out := filepath.Join(c.dir, "o.human.npz")
		code, e := extractJSON(t, c.alter("covered", []string{clip}, "[0:v]"+k.box), out, "--model", "full")
		named := slices.ContainsFunc(e.Unseen, func(u human.Unseen) bool { return u.Part == part })
		if code != fault.ExitDone || e.Grade != k.want || !named {
			t.Errorf("%s: exit code %d, %+v", part, code, e)
		}
		if m, err := human.Load(out); err != nil || m.Frames[len(m.Frames)/4].Confidence[human.RHip] < 0.5 {
			t.Errorf("%s: %v, or a hip that is seen has no confidence", part, err)
		}
	}
}

// TestOnlyLegs: of somebody without trunk and head nothing is written, and what to film
// is said.
func TestOnlyLegs(t *testing.T) {
	c := newClipMaker(t)
	clip := c.alter("legs", []string{c.film("march", "march", 0.5, 3, demonstrator.Options{})}, "[0:v]crop=iw:ih*0.5:0:ih*0.5")
	out := filepath.Join(c.dir, "o.human.npz")
	code, said := extractClip(clip, "-o", out, "--model", "lite")
	if strings.Contains(said, "make deps") || strings.Contains(said, "not built in") {
		t.Skip(said)
	}
	if code != fault.ExitFailed && code != fault.ExitRefused || !strings.Contains(said, "film") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a motion was written")
	}
}

// TestDamagedClips: of a clip that is cut off or spoilt in the middle the part before is
// extracted, in doubt, with a word about the rest; one or eight pictures are no motion.
func TestDamagedClips(t *testing.T) {
	c := newClipMaker(t)
	whole := c.film("wave", "wave", 1, 4, demonstrator.Options{})
	c.alter("one", []string{whole}, "[0:v]trim=end_frame=1")
	c.alter("eight", []string{whole}, "[0:v]trim=end_frame=8")
	c.spoil("cut_off", whole, func(b []byte) []byte { return b[:len(b)*7/10] })
	c.spoil("spoilt", whole, func(b []byte) []byte {
		r := rand.New(rand.NewPCG(1, 1))
		for i := len(b) * 6 / 10; i < len(b)*7/10; i++ {
			b[i] = byte(r.Uint32())
		}
		return b
	})
	for name, want := range map[string]string{"one": "film for a second", "eight": "film for a second", "cut_off": "could not be decoded", "spoilt": "could not be decoded"} {
		out := filepath.Join(c.dir, name+".human.npz")
		code, said := extractClip(filepath.Join(c.dir, name+".mp4"), "-o", out, "--model", "lite")
		if strings.Contains(said, "make deps") || strings.Contains(said, "not built in") {
			t.Skip(said)
		}
		short := name == "one" || name == "eight"
		if short != (code == fault.ExitFailed) || !short && code != fault.ExitDone || !strings.Contains(said, want) || strings.Contains(said, "goroutine") {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
		m, err := human.Load(out)
		if short != (err != nil) {
			t.Errorf("%s: file: %v", name, err)
		}
		if !short && err == nil && (m.Meta.Verdict != "doubtful" || m.Seconds() > 2.6) {
			t.Errorf("%s: %s, %.1f s", name, m.Meta.Verdict, m.Seconds())
		}
	}
}

// spoil changes the bytes of a clip, with its index moved to the start: without an index
// nothing could be read at all.
func (c clipMaker) spoil(name, clip string, how func([]byte) []byte) {
	c.t.Helper()
	front := filepath.Join(c.dir, "front_"+name+".mp4")
	if said, err := exec.Command("ffmpeg", "-y", "-loglevel", "error", "-i", clip, "-c", "copy", "-movflags", "+faststart", front).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, said)
	}
	b, err := os.ReadFile(front)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, name+".mp4"), how(b), 0o644); err != nil {
		c.t.Fatal(err)
	}
}
