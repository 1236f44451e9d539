package posenet

import (
	"fmt"
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
)

// runner computes an operator's network: the outputs are valid until the next call.
type runner interface {
	run() (outputs [][]float32, err error)
	input() []float32
	Close() error
}

// ownSession makes runners that share one session.
type ownSession interface {
	runner() (runner, error)
	Close() error
}

// ownWeights are a session whose networks look like the built-in one.
type ownWeights struct {
	ownSession
	own *Own
}

func (w *ownWeights) network() (Network, error) {
	r, err := w.runner()
	if err != nil {
		return nil, err
	}
	return newOwnNetwork(w.own, r), nil
}

// ownNetwork makes an operator's network look like the built-in landmark network: the
// same picture in, the same outputs out. Landmarks that it does not have lie where their
// neighbour does and are not visible.
type ownNetwork struct {
	*Own
	runner  runner
	picture []float32 // 3 x SizePx x SizePx, red, green, blue, 0 to 1
	outs    [][]float32
}

func newOwnNetwork(o *Own, r runner) *ownNetwork {
	n := &ownNetwork{Own: o, runner: r, picture: make([]float32, 3*landmarkSpec.SizePx*landmarkSpec.SizePx)}
	for _, s := range landmarkSpec.Outputs {
		n.outs = append(n.outs, make([]float32, s.Length))
	}
	// Nothing is refined: the points are exact.
	for i := range n.outs[LandmarkHeatmap] {
		n.outs[LandmarkHeatmap][i] = -50
	}
	return n
}

func (n *ownNetwork) Input() []float32       { return n.picture }
func (n *ownNetwork) Output(i int) []float32 { return n.outs[i] }
func (n *ownNetwork) Close() error           { return n.runner.Close() }

func (n *ownNetwork) Run() error {
	n.fill()
	outs, err := n.runner.run()
	if err != nil {
		return fmt.Errorf("posenet: %s: %w", n.Path, err)
	}
	var found [landmark.Num]keypoint
	if n.SimCC != nil {
		err = n.fromSimCC(outs[0], outs[1], &found)
		outs = outs[2:]
	} else {
		outs, err = n.fromPoints(outs, &found)
	}
	if err == nil && n.World != nil {
		err = n.fromWorld(outs[0], &found)
	}
	if err != nil {
		return fmt.Errorf("posenet: %s: %w", n.Path, err)
	}
	n.tell(&found)
	return nil
}

// keypoint is a landmark in pixels of the network's input, and in metres.
type keypoint struct {
	x, y, score float64
	world       [3]float64
}

// share is the part of the square picture that the input shows, from its middle, and
// how large a pixel of the input is in the picture's.
func (n *ownNetwork) share() (left, top, step float64) {
	size := float64(landmarkSpec.SizePx)
	w, h := float64(n.Own.Input.WidthPx), float64(n.Own.Input.HeightPx)
	step = size / math.Max(w, h)
	return (size - step*w) / 2, (size - step*h) / 2, step
}

// fill resamples the picture into the network's input.
func (n *ownNetwork) fill() {
	in, dst, size := &n.Own.Input, n.runner.input(), landmarkSpec.SizePx
	left, top, step := n.share()
	for c := range 3 {
		plane := n.picture[c*size*size : (c+1)*size*size]
		at := c
		if in.Order == "bgr" {
			at = 2 - c
		}
		gain, offset := 255/in.Std[at], in.Mean[at]/in.Std[at]
		out := dst[at*in.WidthPx*in.HeightPx:]
		for y := range in.HeightPx {
			for x := range in.WidthPx {
				v := bilinear(plane, size, left+(float64(x)+0.5)*step-0.5, top+(float64(y)+0.5)*step-0.5)
				out[y*in.WidthPx+x] = float32(v*gain - offset)
			}
		}
	}
}

// bilinear is the value of a square plane at a place, edges repeated.
func bilinear(plane []float32, size int, x, y float64) float64 {
	x, y = math.Max(0, math.Min(x, float64(size-1))), math.Max(0, math.Min(y, float64(size-1)))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, size-1), min(y0+1, size-1)
	u, v := x-float64(x0), y-float64(y0)
	at := func(x, y int) float64 { return float64(plane[y*size+x]) }
	return (1-v)*((1-u)*at(x0, y0)+u*at(x1, y0)) + v*((1-u)*at(x0, y1)+u*at(x1, y1))
}

// fromSimCC reads one row of bins a key point along each axis: the highest is where it
// is, and how high it is how sure (RTMPose, arXiv 2303.07399).
func (n *ownNetwork) fromSimCC(xs, ys []float32, found *[landmark.Num]keypoint) error {
	w := int(math.Round(float64(n.Own.Input.WidthPx) * n.SimCC.Split))
	h := int(math.Round(float64(n.Own.Input.HeightPx) * n.SimCC.Split))
	if len(xs)%w != 0 || len(ys)%h != 0 || len(xs)/w != len(ys)/h {
		return fmt.Errorf("simcc outputs of %d and %d values; legal: as many rows of %d and of %d bins", len(xs), len(ys), w, h)
	}
	for i, k := range n.points {
		if k < 0 {
			continue
		}
		if k >= len(xs)/w {
			return fmt.Errorf("it gives %d key points, and the description names number %d (%s)", len(xs)/w, k, landmark.Name(i))
		}
		x, sx := highest(xs[k*w : (k+1)*w])
		y, sy := highest(ys[k*h : (k+1)*h])
		found[i] = keypoint{x: float64(x) / n.SimCC.Split, y: float64(y) / n.SimCC.Split, score: math.Min(sx, sy)}
	}
	return nil
}

func highest(v []float32) (at int, value float64) {
	for i, x := range v {
		if x > v[at] {
			at = i
		}
	}
	return at, float64(v[at])
}

// fromPoints reads key points that are numbers, and their scores; it returns the
// outputs that are left.
func (n *ownNetwork) fromPoints(outs [][]float32, found *[landmark.Num]keypoint) ([][]float32, error) {
	points, rest, columns := outs[0], outs[1:], 3
	var scores []float32
	if n.Points.Score != "" {
		scores, rest, columns = outs[1], outs[2:], 2
		// Points may have a third column besides.
		if len(points) == 3*len(scores) {
			columns = 3
		}
	}
	scaleX, scaleY := 1.0, 1.0
	if n.Points.Unit == "share" {
		scaleX, scaleY = float64(n.Own.Input.WidthPx), float64(n.Own.Input.HeightPx)
	}
	for i, k := range n.points {
		if k < 0 {
			continue
		}
		if (k+1)*columns > len(points) || scores != nil && k >= len(scores) {
			return nil, fmt.Errorf("it gives %d numbers for key points (and %d scores), and the description names number %d (%s) of %d columns",
				len(points), len(scores), k, landmark.Name(i), columns)
		}
		p := points[k*columns : (k+1)*columns]
		found[i] = keypoint{x: float64(p[0]) * scaleX, y: float64(p[1]) * scaleY}
		if scores != nil {
			found[i].score = float64(scores[k])
		} else {
			found[i].score = float64(p[2])
		}
	}
	return rest, nil
}

// fromWorld reads positions in space.
func (n *ownNetwork) fromWorld(v []float32, found *[landmark.Num]keypoint) error {
	scale := 1.0
	if n.World.Unit == "mm" {
		scale = 1e-3
	}
	for i, k := range n.points {
		if k < 0 {
			continue
		}
		if 3*(k+1) > len(v) {
			return fmt.Errorf("output %q has %d numbers, and the description names key point %d", n.World.Name, len(v), k)
		}
		for c := range 3 {
			found[i].world[c] = scale * float64(v[3*k+c])
		}
	}
	return nil
}

// neighbour is the landmark in whose place one that a network does not have is put.
func neighbour(i landmark.Index) landmark.Index {
	switch i {
	case landmark.LPinky, landmark.LIndex, landmark.LThumb:
		return landmark.LWrist
	case landmark.RPinky, landmark.RIndex, landmark.RThumb:
		return landmark.RWrist
	case landmark.LHeel, landmark.LToe:
		return landmark.LAnkle
	case landmark.RHeel, landmark.RToe:
		return landmark.RAnkle
	}
	return landmark.Nose
}

const (
	// sureScore is a key point that counts for the next square.
	sureScore = 0.3
	// aroundBody is how far the circle around the body lies beyond its farthest key point.
	aroundBody = 1.1
)

// tell writes the outputs of the built-in network.
func (n *ownNetwork) tell(found *[landmark.Num]keypoint) {
	left, top, step := n.share()
	for i := range found {
		if n.points[i] < 0 {
			found[i] = found[neighbour(i)]
			found[i].score = 0
		}
	}
	var root [3]float64
	for c := range root {
		root[c] = (found[landmark.LHip].world[c] + found[landmark.RHip].world[c]) / 2
	}
	put := func(i int, x, y, score float64) {
		v := n.outs[LandmarkPoints][5*i:]
		p := float32(logit(score))
		v[0], v[1], v[2], v[3], v[4] = float32(left+x*step), float32(top+y*step), 0, p, p
	}
	sum := 0.0
	for i := range found {
		put(i, found[i].x, found[i].y, found[i].score)
		for c := range 3 {
			n.outs[LandmarkWorld][3*i+c] = float32(found[i].world[c] - root[c])
		}
	}
	for _, i := range ownNeeded {
		sum += math.Max(0, math.Min(1, found[i].score))
	}
	n.outs[LandmarkPresence][0] = float32(sum / float64(len(ownNeeded)))
	centre, scale := around(found)
	put(landmark.Num, centre[0], centre[1], 1)
	put(landmark.Num+1, scale[0], scale[1], 1)
}

// around is the middle of the hips, and the place on the circle around the body towards
// which the trunk points.
func around(found *[landmark.Num]keypoint) (centre, scale [2]float64) {
	middle := func(a, b landmark.Index) [2]float64 {
		return [2]float64{(found[a].x + found[b].x) / 2, (found[a].y + found[b].y) / 2}
	}
	centre = middle(landmark.LHip, landmark.RHip)
	radius := 1.0
	for i := range found {
		if found[i].score >= sureScore {
			radius = math.Max(radius, aroundBody*math.Hypot(found[i].x-centre[0], found[i].y-centre[1]))
		}
	}
	chest := middle(landmark.LShoulder, landmark.RShoulder)
	dx, dy := chest[0]-centre[0], chest[1]-centre[1]
	if long := math.Hypot(dx, dy); long > 0 {
		return centre, [2]float64{centre[0] + radius*dx/long, centre[1] + radius*dy/long}
	}
	return centre, [2]float64{centre[0], centre[1] - radius}
}

// logit is the inverse of the sigmoid by which outputs are read, bounded.
func logit(p float64) float64 {
	p = math.Max(0.001, math.Min(0.999, p))
	return math.Log(p / (1 - p))
}
