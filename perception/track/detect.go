package track

import (
	"math"
	"slices"

	"github.com/mitori-robotics/mitori/perception/posenet"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Constants of the detector graph (pose_detection_cpu.pbtxt).
const (
	detectorMinScore = 0.5
	detectorIoU      = 0.3
	logitLimit       = 100
)

// Detection is one person found by the detector, in picture pixels.
type Detection struct {
	Score float64
	// ROI is the square for the landmark network.
	ROI ROI
	// hips and shoulders are the middles of both.
	hips, shoulders point
}

type box struct{ x0, y0, x1, y1 float64 }

func (a box) iou(b box) float64 {
	w, h := math.Min(a.x1, b.x1)-math.Max(a.x0, b.x0), math.Min(a.y1, b.y1)-math.Max(a.y0, b.y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	inter := w * h
	return inter / ((a.x1-a.x0)*(a.y1-a.y0) + (b.x1-b.x0)*(b.y1-b.y0) - inter)
}

// rawDetection holds a candidate in units of the network's input (0..1).
type rawDetection struct {
	score float64
	box   box
	keys  [4]point
}

// anchors lists the centres of the detector's candidate boxes, 0..1. Layers of
// equal stride share a grid: 28x28 with 2 anchors a cell, 14x14 with 2, 7x7
// with 6.
func anchors() []point {
	out := make([]point, 0, posenet.Anchors)
	for _, g := range [...]struct{ cells, each int }{{28, 2}, {14, 2}, {7, 6}} {
		for y := range g.cells {
			for x := range g.cells {
				for range g.each {
					out = append(out, point{(float64(x) + 0.5) / float64(g.cells), (float64(y) + 0.5) / float64(g.cells)})
				}
			}
		}
	}
	return out
}

// decodeDetections turns the network's output into candidates above the
// threshold, by falling score (ties by position, so that the order is fixed).
func decodeDetections(boxes, scores []float32, grid []point, inputPx float64) []rawDetection {
	var out []rawDetection
	for i, a := range grid {
		logit := min(max(float64(scores[i]), -logitLimit), logitLimit)
		score := sigmoid(logit)
		if score < detectorMinScore {
			continue
		}
		v := boxes[12*i : 12*i+12]
		at := func(k int) point {
			return point{float64(v[k])/inputPx + a.x, float64(v[k+1])/inputPx + a.y}
		}
		c, w, h := at(0), float64(v[2])/inputPx, float64(v[3])/inputPx
		d := rawDetection{score: score, box: box{c.x - w/2, c.y - h/2, c.x + w/2, c.y + h/2}}
		for k := range d.keys {
			d.keys[k] = at(4 + 2*k)
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b rawDetection) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return out
}

// suppress merges overlapping candidates into averages weighted by score
// (weighted non-maximum suppression). The input is sorted by falling score.
func suppress(in []rawDetection) []rawDetection {
	var out []rawDetection
	for len(in) > 0 {
		best := in[0]
		var rest []rawDetection
		var sum float64
		merged := rawDetection{score: best.score}
		for _, d := range in {
			if d.box.iou(best.box) <= detectorIoU {
				rest = append(rest, d)
				continue
			}
			sum += d.score
			merged.box.x0 += d.score * d.box.x0
			merged.box.y0 += d.score * d.box.y0
			merged.box.x1 += d.score * d.box.x1
			merged.box.y1 += d.score * d.box.y1
			for k := range merged.keys {
				merged.keys[k].x += d.score * d.keys[k].x
				merged.keys[k].y += d.score * d.keys[k].y
			}
		}
		if sum == 0 || len(rest) == len(in) {
			// A box without area overlaps nothing, not even itself.
			in = in[1:]
			continue
		}
		b := &merged.box
		b.x0, b.y0, b.x1, b.y1 = b.x0/sum, b.y0/sum, b.x1/sum, b.y1/sum
		for k := range merged.keys {
			merged.keys[k].x /= sum
			merged.keys[k].y /= sum
		}
		out = append(out, merged)
		in = rest
	}
	return out
}

// detect runs the detector on an upright square of the picture; what lies
// beyond the edge is black.
func detect(net posenet.Network, cut *cropper, grid []point, f *video.Frame, area ROI) ([]Detection, error) {
	spec := posenet.Detector.Spec()
	cut.crop(net.Input(), f, area, spec.SizePx, spec.Lo, spec.Hi, borderBlack)
	if err := net.Run(); err != nil {
		return nil, err
	}
	raw := suppress(decodeDetections(net.Output(posenet.DetectorBoxes), net.Output(posenet.DetectorScores), grid, float64(spec.SizePx)))
	var out []Detection
	for _, d := range raw {
		hips, shoulders := area.toPicture(d.keys[0].x, d.keys[0].y), area.toPicture(d.keys[2].x, d.keys[2].y)
		roi := roiFrom(hips, area.toPicture(d.keys[1].x, d.keys[1].y))
		if roi.Valid() {
			out = append(out, Detection{Score: d.score, ROI: roi, hips: hips, shoulders: shoulders})
		}
	}
	return out, nil
}

// wholePicture is the square that letterboxes the picture.
func wholePicture(f *video.Frame) ROI {
	return ROI{CentreXPx: float64(f.WidthPx) / 2, CentreYPx: float64(f.HeightPx) / 2, SidePx: float64(max(f.WidthPx, f.HeightPx))}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
