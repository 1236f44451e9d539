package multiview

import (
	"fmt"
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/models/spatial"
)

const (
	// leastSeen: below, the network guesses where a landmark is.
	leastSeen = 0.3
	// guessed is how sure a place is that fewer than two views really see.
	guessed = 0.05
	// knownLandmarks of moving must be sure for a frame to show a person.
	knownLandmarks = 5
	// upSlack, axisSlack: the calibration's up, or another axis of its world, is taken
	// where the person stands within this angle of it, radians. [people lean by up to 10
	// degrees on average over a clip]
	upSlack, axisSlack = 25 * math.Pi / 180, 20 * math.Pi / 180
)

// Fuse joins the views. An error names the view and what is wrong with it; views that do
// not fit one another are no error, but in the report.
func Fuse(views []View, o Options) (*Fused, error) {
	if n := len(views); n < minViews || n > maxViews {
		return nil, fmt.Errorf("multiview: %d views; legal: %d to %d", n, minViews, maxViews)
	}
	if o.OffsetsS != nil && len(o.OffsetsS) != len(views) {
		return nil, fmt.Errorf("multiview: %d offsets for %d views", len(o.OffsetsS), len(views))
	}
	f := &fusion{views: make([]*recording, len(views)), out: &Fused{}}
	for i := range views {
		var err error
		if f.views[i], err = newRecording(&views[i]); err != nil {
			return nil, err
		}
	}
	if o.OffsetsS == nil {
		align(f.views, o.Up)
		settleClocks(f.views)
	}
	for i, v := range f.views {
		if o.OffsetsS != nil {
			v.offset = o.OffsetsS[i]
		}
		f.out.Report.Cameras = append(f.out.Report.Cameras, CameraReport{Camera: v.cam.Name, Video: v.name})
	}
	if from, to := common(f.views); to-from < leastOverlapS {
		return nil, fmt.Errorf("multiview: %w, with the offsets %s", ErrTooLittle, f.offsets())
	}
	f.agree()
	f.clocks(o.OffsetsS == nil)
	f.span()
	f.side()
	f.watch()
	f.place()
	f.up(o.Up)
	return f.out, nil
}

// fusion is the state of one call of Fuse.
type fusion struct {
	views  []*recording
	used   []int
	out    *Fused
	times  []float64
	looks  [][]look // by frame and view; not there where a view is not to be used
	points [][landmark.Num]spatial.Vec3
	sure   [][landmark.Num]float64
}

func (f *fusion) offsets() (text string) {
	for i, v := range f.views {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %+.2f s", v.name, v.offset)
	}
	return text
}

// agree finds the views to use. Where none fit, or it is not clear which, all are used,
// and the report says so.
func (f *fusion) agree() {
	rows := instants(f.views)
	a := agree(f.views, rows)
	r := &f.out.Report
	r.Agree = a.clear
	f.used = a.set
	r.Order = order(f.views, rows, &a)
	if len(f.used) < minViews {
		everyone := make([]int, len(f.views))
		for i := range everyone {
			everyone[i] = i
		}
		f.used = everyone
		a.miss = misses(f.views, rows, everyone)
	}
	for i := range f.views {
		r.Cameras[i].MisfitM = math.Min(a.miss[i], 100) // JSON has no infinity
		r.Cameras[i].Used = slices.Contains(f.used, i)
	}
}

// clocks aligns the views in use once more, without those that do not fit, and reports.
func (f *fusion) clocks(free bool) {
	used := make([]*recording, 0, len(f.used))
	for _, k := range f.used {
		used = append(used, f.views[k])
	}
	if free && len(used) < len(f.views) {
		settleClocks(used)
	}
	for i, v := range f.views {
		c := &f.out.Report.Cameras[i]
		c.OffsetS, c.FromS, c.ToS = v.offset, v.fromS(), v.toS()
		switch {
		case i == 0:
			c.Certainty = 1
		case free:
			c.Certainty = certainty(used, v)
		}
	}
}

// span lays out the frames and looks at all used views.
func (f *fusion) span() {
	f.out.FPS = 1 / f.views[0].stepS
	if r := math.Round(f.out.FPS); math.Abs(f.out.FPS-r) < 0.002*f.out.FPS { // 59.99 from rounded time stamps
		f.out.FPS = r
	}
	var used []*recording
	for _, k := range f.used {
		used = append(used, f.views[k])
	}
	from, to := common(used)
	// On the first view's own frames, where it has any.
	from = f.views[0].times[0] + math.Ceil((from-f.views[0].times[0])*f.out.FPS-0.01)/f.out.FPS
	for n := 0; ; n++ {
		t := from + float64(n)/f.out.FPS
		if t > to+0.25/f.out.FPS {
			break
		}
		f.times = append(f.times, t)
		row := make([]look, len(f.views))
		for _, k := range f.used {
			f.views[k].at(t, &row[k])
			if row[k].there {
				f.out.Report.Cameras[k].SeenShare++
			}
		}
		f.looks = append(f.looks, row)
	}
	for _, k := range f.used {
		f.out.Report.Cameras[k].SeenShare /= math.Max(1, float64(len(f.times)))
	}
}

// watch takes out views while they do not fit the others, of which there must be two:
// somebody moved that camera. The worst goes first, as it spoils the others' judgement.
func (f *fusion) watch() {
	if len(f.used) <= minViews {
		return
	}
	half := max(1, int(math.Round(movedS*f.out.FPS)))
	gone := make([][]bool, len(f.views))
	for range len(f.used) - minViews {
		miss := make([][]float64, len(f.views))
		for _, k := range f.used {
			miss[k] = f.missAlone(k, half)
		}
		for t, row := range f.looks {
			worst, most := -1, misfitM
			for _, k := range f.used {
				if m := miss[k][t]; m > most {
					worst, most = k, m
				}
			}
			if worst >= 0 && row[worst].there {
				row[worst].there = false
				if gone[worst] == nil {
					gone[worst] = make([]bool, len(f.times))
				}
				gone[worst][t] = true
			}
		}
	}
	for k := range gone {
		f.out.Report.Cameras[k].Moved = f.stretches(gone[k])
	}
}

// stretches are the times in which something holds.
func (f *fusion) stretches(holds []bool) (out [][2]float64) {
	for t, is := range holds {
		switch n := len(out) - 1; {
		case !is:
		case t > 0 && holds[t-1]:
			out[n][1] = f.times[t]
		default:
			out = append(out, [2]float64{f.times[t], f.times[t]})
		}
	}
	return out
}

// missAlone is by how much view k misses what the others see, in the median over half
// frames to both sides; NaN where they do not tell.
func (f *fusion) missAlone(k, half int) []float64 {
	var others []int
	for _, v := range f.used {
		if v != k {
			others = append(others, v)
		}
	}
	alone, out := make([]float64, len(f.times)), make([]float64, len(f.times))
	for t, row := range f.looks {
		alone[t] = missAt(f.views, row, others, k)
	}
	for t := range out {
		var near []float64
		for _, m := range alone[max(0, t-half):min(len(alone), t+half+1)] {
			if !math.IsNaN(m) {
				near = append(near, m)
			}
		}
		out[t] = median(near)
	}
	return out
}

// side gives every view the same left and right.
func (f *fusion) side() {
	found := make([]sides, len(f.times))
	for g := range groups {
		for t, s := range settle(f.views, f.looks, &groups[g]) {
			found[t][g] = s
		}
	}
	votes := make([][len(groups)]float64, len(f.times))
	for t, row := range f.looks {
		if len(present(row)) >= minViews {
			tried := slices.Clone(row)
			found[t].apply(tried)
			var p [landmark.Num]spatial.Vec3
			var sure [landmark.Num]float64
			f.triangulateAll(tried, &p, &sure)
			votes[t] = facing(&p)
		}
	}
	half := int(math.Round(turnS * f.out.FPS))
	for t, row := range f.looks {
		for g := range groups {
			sum := 0.0
			for u := max(0, t-half); u <= min(len(votes)-1, t+half); u++ {
				sum += votes[u][g]
			}
			if sum < 0 {
				found[t][g] = opposite(found[t][g], f.used)
			}
		}
		found[t].apply(row)
		for _, k := range f.used {
			if row[k].there && (found[t][0]|found[t][1])>>k&1 == 1 {
				f.out.Report.Cameras[k].SwappedFrames++
			}
		}
	}
}

// triangulateAll places every landmark of one instant, and tells how sure each place is;
// one that cannot be placed keeps the place it had.
func (f *fusion) triangulateAll(row []look, p *[landmark.Num]spatial.Vec3, sure *[landmark.Num]float64) {
	var seen, all []sight
	scratch := make([]sight, 0, maxViews)
	for j := range landmark.Num {
		seen, all = seen[:0], all[:0]
		var vis []float64
		for _, k := range f.used {
			if !row[k].there {
				continue
			}
			s := f.views[k].sightOf(&row[k], j)
			if s.weight >= leastSeen {
				seen, vis = append(seen, s), append(vis, s.weight)
			}
			s.weight = math.Max(s.weight, guessed)
			all = append(all, s)
		}
		sure[j] = 0
		if q, used, miss, ok := robust(seen, scratch); ok && len(seen) >= minViews {
			var best []float64
			for i, v := range vis {
				if used>>i&1 == 1 {
					best = append(best, v)
				}
			}
			slices.Sort(best)
			p[j], sure[j] = q, best[len(best)-2]/(1+math.Pow(miss/dropM, 4))
			continue
		}
		if q, ok := triangulate(all); ok {
			p[j], sure[j] = q, guessed
		}
	}
}

// place triangulates all frames and sums up how well views and points agree.
func (f *fusion) place() {
	f.points, f.sure = make([][landmark.Num]spatial.Vec3, len(f.times)), make([][landmark.Num]float64, len(f.times))
	px, n := make([]float64, len(f.views)), make([]float64, len(f.views))
	missM, sights, two, asked := 0.0, 0.0, 0.0, 0.0
	for t, row := range f.looks {
		if t > 0 {
			f.points[t] = f.points[t-1]
		}
		f.triangulateAll(row, &f.points[t], &f.sure[t])
		frame := landmark.Frame{TimeS: f.times[t]}
		known := 0
		for j := range landmark.Num {
			frame.WorldM[j], frame.Landmarks[j].Visibility = f.points[t][j], f.sure[t][j]
		}
		for _, j := range moving {
			asked++
			if f.sure[t][j] < leastSeen {
				continue
			}
			known++
			two++
			for _, k := range f.used {
				if l := &row[k]; l.there && l.seen[j] >= leastSeen {
					s := f.views[k].sightOf(l, j)
					if at, ok := f.views[k].cam.Project(f.points[t][j]); ok {
						px[k] += math.Hypot(at[0]-l.px[j][0], at[1]-l.px[j][1])
						n[k]++
						missM, sights = missM+s.missM(f.points[t][j]), sights+1
					}
				}
			}
		}
		frame.Found = known >= knownLandmarks
		f.out.Frames = append(f.out.Frames, frame)
	}
	r := &f.out.Report
	for k := range f.views {
		r.Cameras[k].ReprojPx = px[k] / math.Max(1, n[k])
	}
	r.ReprojM, r.SeenByTwo = missM/math.Max(1, sights), two/math.Max(1, asked)
}

// up chooses the direction against gravity: the calibration's where the person stands
// near it, else another axis of its world, else the person's own.
func (f *fusion) up(given spatial.Vec3) {
	r := &f.out.Report
	stands, ok := standing(f.points, f.sure)
	f.out.Up, r.UpFrom = given, "calibration"
	if given != (spatial.Vec3{}) {
		if ok {
			r.UpOffDeg = given.AngleRad(stands) * 180 / math.Pi
		}
		if !ok || given.AngleRad(stands) <= upSlack {
			return
		}
	}
	f.out.Up, r.UpFrom = stands, "person"
	for k := range 3 {
		for _, sign := range [2]float64{1, -1} {
			var axis spatial.Vec3
			axis[k] = sign
			if ok && axis.AngleRad(stands) <= axisSlack {
				f.out.Up, r.UpFrom = axis, "axis"
			}
		}
	}
}
