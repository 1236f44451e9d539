package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/pipeline/extract"
	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/metrics"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/verdict"
	"github.com/mitori-robotics/mitori/policy/retarget"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// Extraction says what was found in a video; out and film are empty where nothing was
// written.
func Extraction(w io.Writer, e *extract.Result, o extract.Options, out, film string, asJSON bool) error {
	if asJSON {
		return cli.WriteJSON(w, struct {
			Video string `json:"video"`
			verdict.Verdict
			Output        string           `json:"output,omitempty"`
			Overlay       string           `json:"overlay,omitempty"`
			Frames        int              `json:"frames"`
			FramesMissed  int              `json:"frames_missed"`
			FPS           float64          `json:"fps"`
			VideoFPS      float64          `json:"video_fps"`
			Model         string           `json:"model"`
			Runtime       string           `json:"runtime"`
			WallS         float64          `json:"wall_s"`
			TrackS        float64          `json:"track_s"`
			SolveS        float64          `json:"solve_s"`
			TrackingStats track.Stats      `json:"tracking"`
			Solve         *solve.Report    `json:"solve"`
			Causal        *extract.Latency `json:"causal,omitempty"`
			Views         *extract.Views   `json:"views,omitempty"`
		}{o.Video, e.Verdict, out, film, e.Track.Stats.Frames, e.Track.Stats.Missed, e.FPS(), e.Track.Info.FPS,
			o.Track.Model.String(), o.Track.Runtime.String(), e.WallS, e.TrackS, e.SolveS, e.Track.Stats, e.Report, e.Causal, e.Views})
	}
	extractVerdict(w, e.Verdict)
	if e.Views != nil {
		views(w, e.Views, e.Report.HeightM)
	}
	if out == "" {
		return nil
	}
	fmt.Fprintf(w, "%s: %d frames, %d without the person, tracked at %.0f frames/s (%s, %s), solved in %.1f s\n",
		out, e.Track.Stats.Frames, e.Track.Stats.Missed, e.FPS(), o.Track.Model, o.Track.Runtime, e.SolveS)
	if l := e.Causal; l != nil {
		fmt.Fprintf(w, "causal: %d frames (%.0f ms) behind the picture; a picture takes %.1f ms (p50), %.1f ms (p95)\n",
			l.LagFrames, l.LagMs, l.P50Ms, l.P95Ms)
	}
	if film != "" {
		fmt.Fprintf(w, "%s: overlay\n", film)
	}
	return nil
}

// views says how several cameras agree.
func views(w io.Writer, v *extract.Views, heightM float64) {
	for i := range v.Cameras {
		c := &v.Cameras[i]
		if !c.Used {
			fmt.Fprintf(w, "camera %s (%s): left out, %.2f m off at the person\n", c.Camera, c.Video, c.MisfitM)
			continue
		}
		fmt.Fprintf(w, "camera %s (%s): clock %+.3f s (certainty %.2f), person in %.0f %% of the frames, %.1f px (%.0f mm) off the others, left and right exchanged in %d\n",
			c.Camera, c.Video, c.OffsetS, c.Certainty, 100*c.SeenShare, c.ReprojPx, 1000*c.MisfitM, c.SwappedFrames)
	}
	fmt.Fprintf(w, "the person measures %.2f m\n", heightM)
}

// extractVerdict says in sentences what is known about a motion.
func extractVerdict(w io.Writer, v verdict.Verdict) {
	for _, text := range v.Warnings {
		fmt.Fprintf(w, "warning: %s\n", text)
	}
	for _, text := range unseenSentences(v.Unseen) {
		fmt.Fprintf(w, "not seen: %s\n", text)
	}
	fmt.Fprintf(w, "verdict: %s\n", v.Grade)
}

// unseenSentences says of each part of the body when it was not seen, and what stands
// in the motion instead.
func unseenSentences(all []human.Unseen) (out []string) {
	var parts []string
	when := map[string][]string{}
	for _, u := range all {
		if when[u.Part] == nil {
			parts = append(parts, u.Part)
		}
		when[u.Part] = append(when[u.Part], fmt.Sprintf("%.1f to %.1f s", u.FromS, u.ToS))
	}
	for _, p := range parts {
		out = append(out, fmt.Sprintf("%s from %s: %s", p, strings.Join(when[p], ", "), instead(p)))
	}
	return out
}

// instead is what a part of the body does in the motion while it is not seen.
func instead(part string) string {
	switch part {
	case "legs":
		return "they stand still"
	case "left leg", "right leg":
		return "it stands"
	case "arms":
		return "they hang"
	case "left arm", "right arm":
		return "it hangs"
	case "person":
		return "the motion goes straight on in between"
	}
	return "a guess"
}

// Retarget says what became of a human motion; output is empty where nothing was
// written.
func Retarget(w io.Writer, r *retarget.Report, output string) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s "+format+"\n", append([]any{name}, args...)...)
	}
	line("motion", "%d frames, %.2f s, computed at %.0f frames/s", r.Frames, r.Seconds, r.FPS)
	line("limits", "%d joint-limit and %d speed-limit violations; fastest joint at %.0f %% of its limit",
		r.JointLimitViolations, r.SpeedLimitViolations, 100*r.WorstSpeedShare)
	line("feet", "slide at most %.1f mm/s, sink at most %.2f mm; %.0f %% of the person's contacts kept",
		1e3*r.FootSlidingSpeedMPerS, 1e3*r.PenetrationDepthM, 100*r.ContactPreservation)
	line("likeness", "%.1f deg mean direction error, similarity %.3f", r.DirectionErrorDeg, r.Similarity)
	l := &r.Likeness
	line("compared", "%s; heading at most %.0f deg off, way %.2f leg lengths (the person went %.1f, the robot %.1f), hips %.2f, posture %.0f deg",
		l.Verdict, l.HeadingMaxDeg, l.PathMaxLegs, l.PersonWayLegs, l.RobotWayLegs, l.HeightMaxLegs, l.LimbMaxDeg)
	for _, f := range l.Findings {
		line(f.Severity, "%s", f.Text)
	}
	line("balance", "pressure point at worst %.1f mm inside the feet (negative: outside), outside in %.1f %% of the frames",
		1e3*r.WorstBalanceM, 100*r.UnbalancedShare)
	for _, n := range r.Notes {
		line("note", "%s", n)
	}
	if output != "" {
		line("written", "%s", output)
	}
}

// Compared is how far a motion is from the truth, and how plausible the two are.
type Compared struct {
	Comparison *metrics.Comparison   `json:"comparison"`
	Motion     *metrics.Plausibility `json:"motion"`
	Truth      *metrics.Plausibility `json:"truth"`
}

// Print says it.
func (x Compared) Print(w io.Writer) {
	c, p := x.Comparison, x.Motion
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-18s "+format+"\n", append([]any{name}, args...)...)
	}
	line("compared", "%d frames, %.2f s", c.Frames, c.OverlapS)
	line("positions", "MPJPE %.0f mm, scaled %.0f mm, Procrustes %.0f mm, in the world %.0f mm", c.MPJPEMm, c.NMPJPEMm, c.PAMPJPEMm, c.GMPJPEMm)
	line("joint angles", "mean %.1f deg (95 %% below %.1f), without bone twist %.1f deg, knees and elbows %.1f deg",
		c.JointAngleMeanDeg, c.JointAngleP95Deg, c.JointSwingMeanDeg, c.FlexionMeanDeg)
	line("pelvis", "mean %.3f m (height %.3f, sideways %.3f, depth %.3f), max %.3f m; tilt %.1f deg, heading %.1f deg",
		c.RootMeanM, c.RootHeightMeanM, c.RootAcrossMeanM, c.RootDepthMeanM, c.RootMaxM, c.PelvisTiltMeanDeg, c.HeadingMeanDeg)
	if c.HeadingAlignedDeg != 0 {
		line("heading", "turned by %.0f deg before anything was compared: the videos, and so the cameras, are different", c.HeadingAlignedDeg)
	}
	line("contacts", "%.1f %% of foot-frames agree (%.1f %% false, %.1f %% missed; F1 %.2f); left and right exchanged in %.1f %% of frames",
		100*c.ContactAgreement, 100*c.ContactFalseShare, 100*c.ContactMissedShare, c.ContactF1, 100*c.SideErrorShare)
	line("bends", "knees %+.1f deg (95 %% within %.0f), elbows %+.1f deg (95 %% within %.0f)", c.KneeBiasDeg, c.KneeP95Deg, c.ElbowBiasDeg, c.ElbowP95Deg)
	line("foot direction", "median %.0f deg off (95 %% below %.0f); lifted %.2f and %.2f times as high, left and right", c.FootMedianDeg, c.FootP95Deg, c.FootLift[0], c.FootLift[1])
	line("feet", "slide %.1f mm/s on average, %.0f mm/s at most; float %.0f mm, sink %.0f mm at most",
		1e3*p.FootSlideMeanMPerS, 1e3*p.FootSlideMaxMPerS, 1e3*p.FloatMaxM, 1e3*p.SinkMaxM)
	line("smoothness", "jitter %.0f m/s^3, acceleration error %.1f m/s^2", p.JitterMps3, c.AccelErrorMPerS2)
	line("bones", "length spread %.2f mm, left-right difference %.2f mm", p.BoneSpreadMm, p.SideAsymmetryMm)
	worst := 0
	for j := range c.Joints {
		if c.Joints[j].MPJPEMm > c.Joints[worst].MPJPEMm {
			worst = j
		}
	}
	line("worst joint", "%s, %.0f mm", c.Joints[worst].Joint, c.Joints[worst].MPJPEMm)
}

// Demonstrations lists what the demonstrator can do.
type Demonstrations []demonstrator.Motion

// MarshalJSON leaves out how a motion is made.
func (d Demonstrations) MarshalJSON() ([]byte, error) {
	type item struct {
		Name        string  `json:"name"`
		Seconds     float64 `json:"seconds"`
		Description string  `json:"description"`
	}
	var items []item
	for _, m := range d {
		items = append(items, item{m.Name, m.Seconds, m.Description})
	}
	return json.Marshal(items)
}

// Print lists them.
func (d Demonstrations) Print(w io.Writer) {
	for _, m := range d {
		fmt.Fprintf(w, "%-18s %.1f s  %s\n", m.Name, m.Seconds, m.Description)
	}
}
