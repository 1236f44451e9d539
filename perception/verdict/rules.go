package verdict

import (
	"fmt"
	"math"
	"strings"

	"github.com/mitori-robotics/mitori/perception/sight"
)

// Thresholds. The figures in brackets are what was measured on clips that are
// good (rendered people before eight cameras, five recordings) and on bad ones; see
// docs/perception.md. Figures of a film with several people in a corridor are an
// earlier report's, not measured with this code.
const (
	// belowFloorM: a camera this far under the floor, in metres. [good: 0.62 and
	// more above; upside down: -0.85; a man on a box: -0.58]
	belowFloorM = -0.10
	// headDownShare of the frames upside down is a video on its head, not a
	// handstand. [good: 0; upside down: 1]
	headDownShare = 0.5
	// Feet that stand in fewer frames than this: the floor is not where the
	// solver thinks. Jumping and dancing stay above. [good: 0.69 and more, lying on
	// the back: 0.50; on its side: 0.03; shaking: 0.36]
	standRefused, standDoubtful = 1.0 / 3, 0.48
	// lyingShare of the frames lie: a video on its side, or a person who lies, whose
	// feet must then be on the floor more often to be believed.
	lyingShare    = 0.5
	lieOnTheFloor = 0.6
	// tiltDeg is a camera tilt that nobody films with; the estimate ends at 50.
	// [recordings: up to 34]
	tiltDeg = 42.0
	// unsureDeg of doubt about gravity are worth a remark. [with straight edges around
	// the person 0.2 to 2.2; with the person alone 3.4 to 8]
	unsureDeg = 5.0
	// leanDeg is how far from upright people who stand on two straight legs may lean on
	// average: they cannot for long, so it is the camera's tilt that is wrong.
	// [good: up to 3; on a step whose height the solver took for tilt: 9 to 16, an
	// earlier report's figures]
	leanDeg = 10.0
	// hiddenShare of the motion without a part of the body makes the part a guess.
	hiddenShare = 0.5
	// hiddenSome of it without legs or feet leaves stretches that are guessed.
	hiddenSome = 0.15
	// toldS is the shortest stretch, in seconds, that is told as unseen.
	toldS = 0.5
	// The person is not in the picture in this share of the frames.
	missedDoubtful, missedRefused = 0.20, 0.60
	// absentShare of the whole video, before and after the motion included: then the
	// motion is not what the video is about.
	absentShare = 0.5
	// longGapS is how long, in seconds, a person may be away without it being
	// doubtful who comes back. After it, strangeMove (in body sizes), strangeGrowth
	// and strangeClothes tell somebody else.
	longGapS       = 1.5
	strangeMove    = 0.5
	strangeGrowth  = 1.3
	strangeClothes = 0.75
	// After a shorter time it takes more: leaps and somersaults move and shrink a
	// body, too. [a somersault: 0.8, 1.6 and 0.65] The tracker itself takes clothes
	// below 0.45 for somebody else's.
	otherMove    = 1.2 // plus as much a second
	otherGrowth  = 2.0
	otherClothes = 0.55
	// severalReturns of somebody else are several people.
	severalReturns = 2
	// severalCuts are an edited film, not a clip.
	severalCuts = 3
	// swappedShare of the frames with left and right exchanged: which side is
	// which is decided by a majority. [good: 0 to 0.07; a view from behind: 0.36]
	swappedShare = 0.25
	// Reprojection error as a share of the person's height. [good: 0.003 to 0.009;
	// a somersault: 0.024; a recording on its side: 0.031; the corridor:
	// about 0.09, its person's height guessed]
	reprojDoubtful, reprojRefused = 0.015, 0.03
	// speedMPerS is faster than people move anything but a thrown hand, in metres
	// per second; 95 of 100 frames are slower. [good: up to 4.1; the corridor: 12]
	speedMPerS = 9.0
	// sway is how far the camera may move within a second, as a share of the
	// person's height. [tripods: 0.003 at most; in the hand: 0.02 to 0.2]
	swayDoubtful, swayRefused = 0.03, 0.5
	// restDoubtful of the person's height is more than is left of a camera's motion
	// that was taken out, if it only turned. [shaken, panned and zoomed clips: 0.0001
	// to 0.0013; a synthetic camera that travels: 0.006]
	restDoubtful = 0.004
)

// rules in the order in which they are told.
var rules = [...]func(*Evidence) []finding{
	cameras, headDown, belowFloor, standing, tilted, unsureTilt, leans, steps, legs, arms, shoulders, people, doubles, missing,
	absent, damaged, edited, moving, swapped, misfit, racing,
}

func headDown(e *Evidence) []finding {
	if e.InvertedShare > headDownShare {
		return []finding{{Refused, "the person is upside down in the picture; turn the video so that it plays upright, and film it anew if that does not help"}}
	}
	return nil
}

func belowFloor(e *Evidence) []finding {
	if e.CameraHeightM >= belowFloorM || e.InvertedShare > headDownShare {
		return nil
	}
	f := finding{Doubtful, fmt.Sprintf("the camera seems to lie %.1f m below the floor on which the person stands; unless they stand on a box or a stage, film from the height of the hips, with the camera level", -e.CameraHeightM)}
	if e.StanceShare < standDoubtful || e.LyingShare > lyingShare {
		f.grade = Refused
	}
	return []finding{f}
}

func standing(e *Evidence) []finding {
	lies, enough := e.LyingShare > lyingShare, standDoubtful
	if lies {
		enough = lieOnTheFloor
	}
	if e.StanceShare >= enough || e.InvertedShare > headDownShare {
		return nil
	}
	f := finding{Doubtful, fmt.Sprintf("a foot stands in only %.0f %% of the frames; film with a camera that stands still and shows both feet and the floor", 100*e.StanceShare)}
	if lies {
		f.text = fmt.Sprintf("the person lies, and a foot is on the floor in only %.0f %% of the frames; if they stood, the video lies on its side: turn it so that it plays upright", 100*e.StanceShare)
	}
	if e.StanceShare < standRefused {
		f.grade = Refused
	}
	return []finding{f}
}

func tilted(e *Evidence) []finding {
	if e.CameraTiltDeg > tiltDeg {
		return []finding{{Doubtful, fmt.Sprintf("the camera seems to be tilted by %.0f degrees; film with the camera level", e.CameraTiltDeg)}}
	}
	return nil
}

// unsureTilt and steps are remarks: the motion may be right all the same.
func unsureTilt(e *Evidence) []finding {
	if e.TiltDoubtDeg <= unsureDeg {
		return nil
	}
	return []finding{{Good, fmt.Sprintf("how the camera is tilted is known to about %.0f degrees only, so the person may lean a little in the motion; film in a room whose upright edges are in the picture, or give --camera-pitch and --fov", e.TiltDoubtDeg)}}
}

func steps(e *Evidence) []finding {
	if len(e.LevelsM) == 0 {
		return nil
	}
	return []finding{{Good, fmt.Sprintf("the person stands on something %.2f m high, too; the robot's floor is flat", e.LevelsM[len(e.LevelsM)-1])}}
}

// leans: a tilt that does not fit what the person does.
func leans(e *Evidence) []finding {
	if e.LeanDeg > leanDeg {
		return []finding{{Doubtful, fmt.Sprintf("the person seems to lean by %.0f degrees all the time while standing on straight legs: the direction of gravity is probably wrong; film with the camera level, from the height of the hips", e.LeanDeg)}}
	}
	return nil
}

// legs judges legs and feet: a robot balances on them, so they must not be
// guesses.
func legs(e *Evidence) (out []finding) {
	both := overlap(e.Hidden[sight.LeftLeg], e.Hidden[sight.RightLeg])
	feet := overlap(e.feet(sight.LeftLeg, sight.LeftFoot), e.feet(sight.RightLeg, sight.RightFoot))
	switch all, some := e.share(both), e.share(feet); {
	case all > hiddenShare:
		out = append(out, finding{Doubtful, fmt.Sprintf("the legs are out of the picture or hidden (%s): they stand still, and nothing but trunk, head and arms is the person's; to have steps, film the whole body, feet and floor included", list(both))})
	case some > hiddenShare:
		out = append(out, finding{Doubtful, fmt.Sprintf("the feet are out of the picture or hidden (%s), so steps are guesses; film the whole body, feet and floor included", list(feet))})
	case some > hiddenSome:
		out = append(out, finding{Doubtful, fmt.Sprintf("legs or feet are not seen for a while (%s); film the whole body, feet and floor included, with nothing in front", list(feet))})
	}
	for _, s := range [...]struct {
		leg, other sight.Part
		name       string
	}{{sight.LeftLeg, sight.RightLeg, "left"}, {sight.RightLeg, sight.LeftLeg, "right"}} {
		if alone := minus(e.Hidden[s.leg], e.Hidden[s.other]); e.share(alone) > hiddenShare {
			out = append(out, finding{Doubtful, fmt.Sprintf("the %s leg is hidden (%s); film from the front, the whole body in the picture", s.name, list(alone))})
		}
	}
	return out
}

// arms: one hidden arm is told as unseen, both make the motion doubtful, and with the
// legs hidden, too, nothing is left.
func arms(e *Evidence) []finding {
	both := overlap(e.Hidden[sight.LeftArm], e.Hidden[sight.RightArm])
	if e.share(both) <= hiddenShare {
		return nil
	}
	nothing := overlap(both, overlap(e.Hidden[sight.LeftLeg], e.Hidden[sight.RightLeg]))
	if e.share(nothing) > hiddenShare {
		return []finding{{Refused, fmt.Sprintf("neither arms nor legs can be made out (%s), so there is nothing to copy; film the whole body, head included", list(nothing))}}
	}
	return []finding{{Doubtful, fmt.Sprintf("both arms are hidden (%s): they hang; film from the front", list(both))}}
}

// shoulders: who is seen from the hips down only is not known at all, by size, heading
// or balance.
func shoulders(e *Evidence) []finding {
	if both := overlap(e.Hidden[sight.LeftShoulder], e.Hidden[sight.RightShoulder]); e.share(both) > hiddenShare {
		return []finding{{Refused, fmt.Sprintf("the shoulders are not in the picture (%s), so trunk and arms are invented; film the whole body, head included", list(both))}}
	}
	return nil
}

// people judges who comes back after a gap.
func people(e *Evidence) []finding {
	var long, others []sight.Span
	for _, r := range e.Returns {
		switch {
		case somebodyElse(r):
			others = append(others, r.Span)
		case r.LengthS() > longGapS:
			long = append(long, r.Span)
		}
	}
	switch doubted := len(long) + len(others); {
	case len(others) >= severalReturns:
		return []finding{{Refused, fmt.Sprintf("several people seem to be in the picture in turn: nobody is followed from %s, and somebody else is seen afterwards; choose a part with one person throughout (--from, --to)", list(others))}}
	case doubted > 0:
		return []finding{{Doubtful, fmt.Sprintf("nobody is followed from %s, and it may be somebody else who is seen afterwards; choose a part before or after it (--from, --to)", list(append(others, long...)))}}
	}
	return nil
}

// doubles: two who are dressed alike hide each other. Who is who afterwards was
// concluded from where they went.
func doubles(e *Evidence) []finding {
	if len(e.Doubts) == 0 {
		return nil
	}
	return []finding{{Doubtful, fmt.Sprintf("two people who look alike cross (%s), and it may be the other one who is followed afterwards; choose a part before or after it (--from, --to)", list(e.Doubts))}}
}

// somebodyElse tells whether another person seems to have come back.
func somebodyElse(r Return) bool {
	if s := r.LengthS(); s <= longGapS {
		return r.Moved > otherMove*(1+s) || r.Grown > otherGrowth || r.Alike < otherClothes
	}
	return r.Moved > strangeMove || r.Grown > strangeGrowth || r.Alike < strangeClothes
}

func missing(e *Evidence) []finding {
	if e.MissedShare <= missedDoubtful {
		return nil
	}
	g := Doubtful
	if e.MissedShare > missedRefused {
		g = Refused
	}
	return []finding{{g, fmt.Sprintf("nobody is seen in %.0f %% of the frames, and what happens there is invented; choose a part in which the person is always in the picture (--from, --to)", 100*e.MissedShare)}}
}

// absent: the motion is right, but it is the smaller part of the video.
func absent(e *Evidence) []finding {
	if e.AbsentShare <= absentShare || e.MissedShare > missedDoubtful {
		return nil
	}
	return []finding{{Doubtful, fmt.Sprintf("the person is seen from %s only, and in %.0f %% of the video there is nobody or somebody else; choose the part that is meant (--from, --to)", e.Span, 100*e.AbsentShare)}}
}

// damaged: what could not be decoded may hold the rest of the motion.
func damaged(e *Evidence) []finding {
	if e.UndecodedShare <= 0 {
		return nil
	}
	return []finding{{Doubtful, fmt.Sprintf("the video ends early at %.1f s, %.0f %% of it could not be decoded, and the file may be damaged; copy it anew, or choose a part before (--to)", e.Span.ToS, math.Max(1, 100*e.UndecodedShare))}}
}

// edited: a place where one take ends and another begins.
func edited(e *Evidence) []finding {
	times := append(append([]float64(nil), e.CutsS...), e.JumpsS...)
	if len(times) == 0 {
		return nil
	}
	f := finding{Doubtful, fmt.Sprintf("the video seems to be cut at %s: the motion jumps there; choose a part without a cut (--from, --to)", moments(times))}
	if len(e.CutsS) >= severalCuts || len(e.JumpsS) >= severalCuts {
		f.grade = Refused
	}
	return []finding{f}
}

// moving: a camera that only turns or shakes is taken out before solving; what is
// left tells one that travels.
func moving(e *Evidence) []finding {
	when := ""
	if len(e.Moves) > 0 {
		when = " (" + list(e.Moves) + ")"
	}
	switch {
	case e.TakenMost > 0 && e.SwayMost > restDoubtful:
		return []finding{{Doubtful, fmt.Sprintf("the camera moves%s, and near things move otherwise than far ones by %.1f %% of the person's height when that is taken out: it does not only turn; film with the camera on a stand", when, 100*e.SwayMost)}}
	case e.TakenMost > swayDoubtful:
		return []finding{{Good, fmt.Sprintf("the camera moves%s, by up to %.0f %% of the person's height; that was taken out against the surroundings, and %.1f %% is left", when, 100*e.TakenMost, 100*e.SwayMost)}}
	case e.TakenMost > 0 || e.SwayMost <= swayDoubtful:
		return nil
	}
	f := finding{Doubtful, fmt.Sprintf("the camera moves%s, by up to %.0f %% of the person's height, and the surroundings show too little to take that out; film with the camera on a stand", when, 100*e.SwayMost)}
	if e.SwayMost > swayRefused {
		f.grade = Refused
	}
	return []finding{f}
}

func swapped(e *Evidence) []finding {
	if e.SwappedShare > swappedShare {
		return []finding{{Doubtful, fmt.Sprintf("left and right were taken for each other in %.0f %% of the frames; film from the front, in good light", 100*e.SwappedShare)}}
	}
	return nil
}

func misfit(e *Evidence) []finding {
	if e.ReprojShare <= reprojDoubtful {
		return nil
	}
	f := finding{Doubtful, fmt.Sprintf("the motion does not fit the picture: it is off by %.1f %% of the person's height on average; film one person, near and in good light", 100*e.ReprojShare)}
	if e.ReprojShare > reprojRefused {
		f.grade = Refused
	}
	return []finding{f}
}

func racing(e *Evidence) []finding {
	if e.SpeedMPerS > speedMPerS {
		return []finding{{Doubtful, fmt.Sprintf("parts of the body move at %.0f m/s, faster than people do; film one person, with at least 30 frames per second", e.SpeedMPerS)}}
	}
	return nil
}

// told is how many stretches or moments a sentence names.
const told = 3

func list(spans []sight.Span) string {
	var out []string
	for _, s := range spans[:min(told, len(spans))] {
		out = append(out, s.String())
	}
	return strings.Join(out, ", ") + more(len(spans))
}

func moments(times []float64) string {
	var out []string
	for _, t := range times[:min(told, len(times))] {
		out = append(out, fmt.Sprintf("%.1f s", t))
	}
	return strings.Join(out, ", ") + more(len(times))
}

func more(n int) string {
	if n > told {
		return fmt.Sprintf(" and %d more", n-told)
	}
	return ""
}

// grown is the ratio of two sizes, the larger to the smaller.
func grown(ratio float64) float64 {
	if !(ratio > 0) {
		return math.Inf(1)
	}
	return math.Max(ratio, 1/ratio)
}
