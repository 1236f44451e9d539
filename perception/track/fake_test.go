package track

import (
	"io"
	"math"

	"github.com/mitori-robotics/mitori/models/landmark"
	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/video"
)

// A world of discs stands in for video and networks: a "person" is a disc whose
// blue value is marker and whose red value is the colour of the clothes. The
// fake networks see only the pixels of their input, as the real ones do, so
// that cropping, geometry, tracking, identity and the parallel parts are
// exercised without weights or C libraries.
const marker = 200

type disc struct {
	x, y, r float64
	clothes byte
}

// paint draws discs on black.
func paint(timeS float64, w, h int, discs []disc) *video.Frame {
	pix := make([]byte, 3*w*h)
	for _, d := range discs {
		for y := max(0, int(d.y-d.r)); y < min(h, int(d.y+d.r)+1); y++ {
			for x := max(0, int(d.x-d.r)); x < min(w, int(d.x+d.r)+1); x++ {
				if math.Hypot(float64(x)+0.5-d.x, float64(y)+0.5-d.y) <= d.r {
					at := 3 * (y*w + x)
					pix[at], pix[at+1], pix[at+2] = marker, 10, d.clothes
				}
			}
		}
	}
	return video.NewFrame(timeS, w, h, pix)
}

// film is a scripted video.
type film struct {
	w, h, n int
	fps     float64
	script  func(i int) []disc
	next    int
}

func (v *film) Info() video.Info {
	return video.Info{Path: "film", WidthPx: v.w, HeightPx: v.h, FPS: v.fps, Frames: v.n, Seekable: true}
}

func (v *film) Next() (*video.Frame, error) {
	if v.next >= v.n {
		return nil, io.EOF
	}
	f := paint(float64(v.next)/v.fps, v.w, v.h, v.script(v.next))
	v.next++
	return f, nil
}

func (v *film) SeekS(timeS float64) error {
	v.next = max(0, int(math.Ceil(timeS*v.fps-1e-6)))
	return nil
}

func (v *film) Close() error { return nil }

func (v *film) opener() video.Opener {
	return func() (video.Source, error) {
		c := *v
		c.next = 0
		return &c, nil
	}
}

// blob is a disc found in a crop, in pixels of the crop.
type blob struct{ x, y, r float64 }

// blobs finds runs of marked columns; persons here stand side by side.
func blobs(in []float32, n int, lo, hi float32) []blob {
	blue := in[2*n*n:]
	on := lo + (hi-lo)*marker/255*0.5
	var out []blob
	var cur blob
	area := 0.0
	flush := func() {
		if area > 12 {
			out = append(out, blob{cur.x / area, cur.y / area, math.Sqrt(area / math.Pi)})
		}
		cur, area = blob{}, 0
	}
	for x := range n {
		marked := false
		for y := range n {
			if blue[y*n+x] > on {
				marked = true
				cur.x += float64(x) + 0.5
				cur.y += float64(y) + 0.5
				area++
			}
		}
		if !marked {
			flush()
		}
	}
	flush()
	return out
}

type fakeWeights struct{ model posenet.Model }

func (w fakeWeights) Close() error { return nil }

func (w fakeWeights) Network() (posenet.Network, error) {
	spec := w.model.Spec()
	n := &fakeNet{model: w.model, spec: spec, in: make([]float32, 3*spec.SizePx*spec.SizePx)}
	for _, o := range spec.Outputs {
		n.out = append(n.out, make([]float32, o.Length))
	}
	return n, nil
}

func fakeNetworks() *Networks {
	return &Networks{detector: fakeWeights{model: posenet.Detector}, landmark: fakeWeights{model: posenet.Full}}
}

type fakeNet struct {
	model posenet.Model
	spec  posenet.Spec
	in    []float32
	out   [][]float32
}

func (n *fakeNet) Input() []float32       { return n.in }
func (n *fakeNet) Output(i int) []float32 { return n.out[i] }
func (n *fakeNet) Close() error           { return nil }

func (n *fakeNet) Run() error {
	found := blobs(n.in, n.spec.SizePx, n.spec.Lo, n.spec.Hi)
	if n.model == posenet.Detector {
		n.detect(found)
		return nil
	}
	n.landmarks(found)
	return nil
}

// detect encodes each blob in an anchor of its own.
func (n *fakeNet) detect(found []blob) {
	scores, boxes := n.out[posenet.DetectorScores], n.out[posenet.DetectorBoxes]
	for i := range scores {
		scores[i] = -200
	}
	grid := anchors()
	size := float64(n.spec.SizePx)
	for k, b := range found {
		if b.r < 6 {
			continue // too small to be seen
		}
		i := k * 2
		a := point{grid[i].x * size, grid[i].y * size}
		v := boxes[12*i:]
		put := func(at int, x, y float64) { v[at], v[at+1] = float32(x), float32(y) }
		put(0, b.x-a.x, b.y-a.y)
		put(2, b.r, b.r)
		put(4, b.x-a.x, b.y-a.y)     // hips
		put(6, b.x-a.x, b.y-b.r-a.y) // scale point: straight up
		scores[i] = 3
	}
}

// fakePose is where landmark i lies on a disc of radius 1.
func fakePose(i int) (x, y float64) {
	switch i {
	case landmark.LShoulder:
		return 0.3, -0.4
	case landmark.RShoulder:
		return -0.3, -0.4
	case landmark.LHip:
		return 0.3, 0.4
	case landmark.RHip:
		return -0.3, 0.4
	}
	s, c := math.Sincos(float64(i))
	return 0.9 * s, 0.9 * c
}

// landmarks reports the blob nearest to the middle of the crop.
func (n *fakeNet) landmarks(found []blob) {
	n.out[posenet.LandmarkPresence][0] = 0
	mid := float64(n.spec.SizePx) / 2
	best, at := math.Inf(1), -1
	for i, b := range found {
		if d := math.Hypot(b.x-mid, b.y-mid); d < best && b.r > 8 {
			best, at = d, i
		}
	}
	for i := range n.out[posenet.LandmarkHeatmap] {
		n.out[posenet.LandmarkHeatmap][i] = -50
	}
	if at < 0 {
		return
	}
	b := found[at]
	n.out[posenet.LandmarkPresence][0] = 0.95
	for i := range posenet.Points {
		x, y := fakePose(i)
		switch i {
		case landmark.Num:
			x, y = 0, 0
		case landmark.Num + 1:
			x, y = 0, -1
		}
		v := n.out[posenet.LandmarkPoints][5*i:]
		v[0], v[1], v[2], v[3], v[4] = float32(b.x+b.r*x), float32(b.y+b.r*y), 0, 5, 5
		w := n.out[posenet.LandmarkWorld][3*i:]
		w[0], w[1], w[2] = float32(x), float32(y), 0
	}
}
