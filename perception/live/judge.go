package live

import (
	"fmt"
	"slices"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/poserecord"
	"github.com/mitori-robotics/mitori/perception/sight"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/perception/video"
)

const (
	// judgedS is how much of the past is judged, like a clip of that length.
	judgedS = 10.0
	// weighS passes between two judgements.
	weighS = 0.5
	// lostS without the person is told.
	lostS = 0.5
	// nowS is how long ago what is over counts as holding: rules tell of spans that
	// end at the newest picture where they have not ended.
	nowS = 0.75
)

// judge applies the rules of package verdict to the last seconds, and tells what
// changed. Memory is bounded by judgedS.
type judge struct {
	size   [2]int
	frames []track.Frame
	poses  []solve.Pose
	swaps  []swapCount

	signs   poserecord.Signs
	seenS   float64 // when the person was seen last
	began   bool
	weighed float64
	warning string
}

// swapCount is how many frames were exchanged until then.
type swapCount struct {
	timeS  float64
	frames int
}

// see takes in what was seen in a picture.
func (j *judge) see(s *Sighting) {
	j.size = [2]int{s.WidthPx, s.HeightPx}
	if !j.began {
		j.began, j.seenS, j.weighed = true, s.TimeS, s.TimeS
	}
	if s.Found {
		j.seenS = s.TimeS
	}
	j.frames = append(j.frames, s.Frame)
	old := 0
	for old < len(j.frames) && j.frames[old].TimeS < s.TimeS-judgedS {
		old++
	}
	j.frames = slices.Delete(j.frames, 0, old)
}

// pose takes in a pose.
func (j *judge) pose(p *solve.Pose) {
	j.poses = append(j.poses, *p)
	old := 0
	for old < len(j.poses) && j.poses[old].TimeS < p.TimeS-judgedS {
		old++
	}
	j.poses = slices.Delete(j.poses, 0, old)
}

// weigh brings the signs up to date and tells what changed.
func (j *judge) weigh(timeS float64, w *Watcher) []Notice {
	now := j.signs &^ poserecord.PersonLost
	warning := j.warning
	switch {
	case timeS-j.seenS >= lostS: // and nothing else is known then
		now, warning, j.poses = poserecord.PersonLost, "", j.poses[:0]
	case timeS >= j.weighed+weighS:
		j.weighed = timeS
		now, warning = j.verdict(timeS, w)
	}
	notices := changes(timeS, j.signs, now, warning)
	j.signs, j.warning = now, warning
	return notices
}

// verdict judges the last seconds.
func (j *judge) verdict(timeS float64, w *Watcher) (now poserecord.Signs, warning string) {
	if len(j.poses) < 2 || w.Report() == nil {
		return 0, ""
	}
	m := Join(j.poses, w.FPS())
	tracked := track.Result{Frames: j.frames, Info: video.Info{WidthPx: j.size[0], HeightPx: j.size[1]}}
	rep := j.report(timeS, w.Report())
	rep.Hidden = sight.Hidden(tracked.Clip())
	e := verdict.Gather(&tracked, rep, m)
	for _, move := range e.Moves {
		if move.ToS >= timeS-nowS {
			now |= poserecord.CameraMoves
		}
	}
	v := verdict.Judge(e)
	for _, u := range v.Unseen {
		if u.ToS >= timeS-nowS {
			now |= signOf(u)
		}
	}
	switch v.Grade {
	case verdict.Doubtful:
		now |= poserecord.Doubtful
	case verdict.Refused:
		now |= poserecord.Refused
	}
	if len(v.Warnings) > 0 {
		warning = v.Warnings[0]
	}
	return now, warning
}

// report narrows the solver's account of everything to the last seconds, where it counts.
func (j *judge) report(timeS float64, r *solve.Report) *solve.Report {
	j.swaps = append(j.swaps, swapCount{timeS, r.SwappedFrames})
	for j.swaps[0].timeS < timeS-judgedS {
		j.swaps = slices.Delete(j.swaps, 0, 1)
	}
	r.SwappedFrames -= j.swaps[0].frames
	stands := 0
	for i := range j.poses {
		if slices.Max(j.poses[i].Contacts[:]) >= 0.5 {
			stands++
		}
	}
	r.StanceShare = float64(stands) / float64(len(j.poses))
	return r
}

// signOf is the sign of what is not seen.
func signOf(u human.Unseen) poserecord.Signs {
	switch u.Part {
	case "legs", "left leg", "right leg":
		return poserecord.LegsUnseen
	case "feet", "left foot", "right foot":
		return poserecord.FeetUnseen
	case "arms", "left arm", "right arm":
		return poserecord.ArmsUnseen
	}
	return 0
}

// words tell that a sign begins and that it ends; %s is the gravest warning.
var words = []struct {
	sign       poserecord.Signs
	begin, end string
}{
	{poserecord.PersonLost, "person lost", "person seen again"},
	{poserecord.LegsUnseen, "legs not seen", "legs seen again"},
	{poserecord.FeetUnseen, "feet not seen", "feet seen again"},
	{poserecord.ArmsUnseen, "arms not seen", "arms seen again"},
	{poserecord.CameraMoves, "the camera moves", "the camera stands"},
	{poserecord.Refused, "the last seconds are refused: %s", "no longer refused"},
	{poserecord.Doubtful, "the last seconds are doubtful: %s", "nothing speaks against the last seconds"},
}

// changes are the notices between two sets of signs. A grade is told once: good only
// after it was worse.
func changes(timeS float64, before, now poserecord.Signs, warning string) (out []Notice) {
	const grades = poserecord.Doubtful | poserecord.Refused
	for _, w := range words {
		text := ""
		switch began, ended := now&w.sign != 0 && before&w.sign == 0, now&w.sign == 0 && before&w.sign != 0; {
		case began && w.sign&grades != 0:
			text = fmt.Sprintf(w.begin, warning)
		case began:
			text = w.begin
		case ended && w.sign&grades == 0, ended && now&grades == 0:
			text = w.end
		}
		if text != "" {
			out = append(out, Notice{timeS, text})
		}
	}
	return out
}
