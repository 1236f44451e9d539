package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
	"github.com/mitori-robotics/mitori/sim/demonstrator/demonstratortest"
)

// clipMaker films small clips of the demonstrator and alters them with ffmpeg.
type clipMaker struct {
	t   *testing.T
	dir string
}

func newClipMaker(t *testing.T) clipMaker {
	t.Helper()
	return clipMaker{t, t.TempDir()}
}

// film is half the usual size, half the usual frames a second, and a part of the motion, to be quick.
func (c clipMaker) film(name, motion string, fromS, toS float64, o demonstrator.Options) string {
	c.t.Helper()
	o.WidthPx, o.HeightPx, o.FPS = 288, 360, 15
	out := filepath.Join(c.dir, name+".mp4")
	demonstratortest.MustFilm(c.t, out, motion, fromS, toS, o)
	return out
}

// alter runs ffmpeg on clips.
func (c clipMaker) alter(name string, clips []string, filter string) string {
	c.t.Helper()
	out := filepath.Join(c.dir, name+".mp4")
	args := []string{"-y", "-loglevel", "error"}
	for _, in := range clips {
		args = append(args, "-i", in)
	}
	args = append(args, "-filter_complex", filter, "-threads", "1", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", out)
	if said, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		c.t.Fatalf("%s: %v: %s", name, err, said)
	}
	return out
}

// extracted is what extract --json says.
type extracted struct {
	verdict.Verdict
	Output string `json:"output"`
}

func extractJSON(t *testing.T, clip, out string, more ...string) (int, extracted) {
	t.Helper()
	var said, errors bytes.Buffer
	code := run(context.Background(), append([]string{"extract", clip, "-o", out, "--model", "lite", "--json"}, more...), &said, &errors)
	if strings.Contains(errors.String(), "make deps") || strings.Contains(errors.String(), "not built in") {
		t.Skip(errors.String())
	}
	var e extracted
	if err := json.Unmarshal(said.Bytes(), &e); err != nil {
		t.Fatalf("%s: exit code %d, %v in %q, %s", clip, code, err, said.String(), errors.String())
	}
	return code, e
}

// TestVerdictOfClips is the table of clips and what is said about them: what must
// not pass, and what must not be refused.
func TestVerdictOfClips(t *testing.T) {
	c := newClipMaker(t)
	march := c.film("march", "march", 0.5, 5, demonstrator.Options{})
	wave := c.film("wave", "wave", 2, 4.5, demonstrator.Options{
		Camera: demonstrator.Camera{AzimuthDeg: 40}, Look: demonstrator.Look{Background: "garden", Shirt: "#a03030"}})
	// The same clothes, so that the tracker takes the one for the other.
	another := c.film("another", "wave", 2, 3.5, demonstrator.Options{Camera: demonstrator.Camera{DistanceM: 5.4}, HeightM: 1.6})
	const cut = "[0:v]trim=0:2,setpts=PTS-STARTPTS[a];[1:v]trim=0:2,setpts=PTS-STARTPTS[b];[a][b]concat=n=2:v=1"
	one := func(name, filter string) string {
		return c.alter(name, []string{march}, "[0:v]trim=0:3,setpts=PTS-STARTPTS,"+filter)
	}
	const good, doubtful, refused = verdict.Good, verdict.Doubtful, verdict.Refused
	for _, k := range []struct {
		clip   string
		legal  []verdict.Grade
		unseen string // a part that must be named
	}{
		{march, []verdict.Grade{good}, ""},
		{wave, []verdict.Grade{good}, ""},
		{one("mirrored", "hflip"), []verdict.Grade{good}, ""},
		{one("slow", "fps=10"), []verdict.Grade{good}, ""},
		{one("dark", "eq=brightness=-0.2:contrast=0.75,noise=alls=20:allf=t"), []verdict.Grade{good}, ""},
		{one("rolled", "rotate=12*PI/180:fillcolor=gray"), []verdict.Grade{good}, ""},
		{one("stand", "crop=iw-8:ih-8:4+0.3*sin(9*t):4"), []verdict.Grade{good}, ""},
		{one("nolegs", "crop=iw:ih*0.55:0:0"), []verdict.Grade{doubtful}, "legs"},
		{one("twins", "crop=160:ih:60:0,split[a][b];[a][b]hstack"), []verdict.Grade{good, doubtful}, ""},
		{one("nofeet", "crop=iw:ih*0.72:0:0"), []verdict.Grade{doubtful}, "feet"},
		{one("upside_down", "hflip,vflip"), []verdict.Grade{refused}, ""},
		{one("sideways", "transpose=2"), []verdict.Grade{doubtful, refused}, ""},
		{one("shaky", "crop=iw-40:ih-40:20+15*sin(2*PI*t*0.7)+5*sin(2*PI*t*3):20+15*cos(2*PI*t*0.5)+5*sin(2*PI*t*4)"), []verdict.Grade{doubtful, refused}, ""},
		{c.alter("cut", []string{march, march}, strings.Replace(cut, "[1:v]trim=0:2", "[1:v]trim=2.5:4.5,hflip,crop=iw-20:ih:0:0,pad=iw+20:ih:20:0", 1)), []verdict.Grade{doubtful, refused}, ""},
		{c.alter("elsewhere", []string{march, wave}, cut), []verdict.Grade{doubtful, refused}, ""},
		{c.alter("somebody_else", []string{march, wave}, strings.Replace(cut, "[a];", ",tpad=stop_duration=2[a];", 1)), []verdict.Grade{doubtful, refused}, ""},
		{c.alter("in_turn", []string{march, another, march}, "[0:v]trim=0:1.5,setpts=PTS-STARTPTS,tpad=stop_duration=2[a];"+
			"[1:v]setpts=PTS-STARTPTS,tpad=stop_duration=2[b];[2:v]trim=2.5:4,setpts=PTS-STARTPTS[c];[a][b][c]concat=n=3:v=1"),
			[]verdict.Grade{doubtful, refused}, "person"},
	} {
		t.Run(strings.TrimSuffix(filepath.Base(k.clip), ".mp4"), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o.human.npz")
			code, got := extractJSON(t, k.clip, out)
			t.Log(code, got.Grade, got.Unseen, got.Warnings)
			if !slices.Contains(k.legal, got.Grade) {
				t.Errorf("%v, want %v", got.Grade, k.legal)
			}
			named := slices.ContainsFunc(got.Unseen, func(u human.Unseen) bool { return u.Part == k.unseen })
			if k.unseen != "" && !named || k.unseen == "" && slices.Contains(k.legal, good) && len(got.Unseen) > 0 {
				t.Errorf("unseen: %v, want %q", got.Unseen, k.unseen)
			}
			if (got.Grade == good) != (len(got.Warnings) == 0) {
				t.Errorf("%v with warnings %q", got.Grade, got.Warnings)
			}
			_, err := os.Stat(out)
			if (got.Grade == refused) != (code == fault.ExitRefused) || (err == nil) != (code == fault.ExitDone) || (got.Output == "") != (code == fault.ExitRefused) {
				t.Errorf("%v with exit code %d, file: %v, output %q", got.Grade, code, err, got.Output)
			}
		})
	}
}

// TestRefusedAnyway: what is refused leaves nothing behind, in extract and in
// learn; with --anyway it is written, and its file says so.
func TestRefusedAnyway(t *testing.T) {
	c := newClipMaker(t)
	clip := c.alter("upside_down", []string{c.film("march", "march", 0.5, 2.5, demonstrator.Options{})}, "[0:v]hflip,vflip")
	dir := t.TempDir()
	out := filepath.Join(dir, "o.human.npz")
	code, said := extractClip(clip, "-o", out, "--model", "lite", "--overlay", filepath.Join(dir, "o.mp4"))
	if code != fault.ExitRefused || !strings.Contains(said, "verdict: refused") || !strings.Contains(said, "--anyway") {
		t.Errorf("exit code %d: %s", code, said)
	}
	var text bytes.Buffer
	code = run(t.Context(), []string{"learn", clip, "--model", "lite", "--robot", "kata20", "-o", filepath.Join(dir, "learnt")}, &text, &text)
	if code != fault.ExitRefused || !strings.Contains(text.String(), "upside down") {
		t.Errorf("learn: exit code %d: %s", code, text.String())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		inside, _ := filepath.Glob(filepath.Join(dir, "learnt", "*"))
		if len(left) > 1 || len(inside) > 0 {
			t.Errorf("left behind: %v %v", left, inside)
		}
	}
	if code, got := extractJSON(t, clip, out, "--anyway"); code != fault.ExitDone || got.Grade != verdict.Refused || got.Output != out {
		t.Errorf("--anyway: exit code %d, %+v", code, got)
	}
	m, err := human.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if m.Meta.Verdict != "refused" || len(m.Meta.Warnings) == 0 || !strings.Contains(m.Meta.Warnings[0], "upside down") {
		t.Errorf("the file says %+v", m.Meta)
	}
}
