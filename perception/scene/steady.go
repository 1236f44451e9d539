package scene

import (
	"math"

	"github.com/mitori-robotics/mitori/perception/video"
)

const (
	// steadyPx is the longer side of the thumbnails that a moving camera is followed
	// with, at most.
	steadyPx = 320
	// mostEdges is how many places with structure are compared.
	mostEdges  = 6000
	steadySize = 3 // of a block of the thumbnail, in blockPx
	// keyShare of a key picture's structure must be in sight; else the next one
	// becomes the key.
	keyShare = 0.6
	// lostAlike is the correlation with the key below which it is another place.
	lostAlike = 0.6
	// restShare of the blocks with structure must lie still once the camera's motion
	// is taken out: what people who pass by and leaves hide is the rest.
	restShare = 0.75
	// mostRest is how far, in pixels of the thumbnail, those blocks may still be moved:
	// else no turn of the camera explains what is seen. [turned: 0.2 at most; near
	// things that move otherwise than far ones, or somebody who walks by: 0.5 and more]
	mostRest = 0.45
	// Shift, zoom and roll are enough where they leave less than enoughRest; shears and
	// perspective must leave betterRest times that.
	enoughRest, betterRest = 0.08, 0.7
	// minBlocks with structure, over minSpread of the picture's width or height, say
	// how a camera turns.
	minBlocks, minSpread = 8, 0.4
)

// stiff holds each of the params where it is, in grey levels squared per pixel:
// directions without structure stay as they are. Shears and perspective, which a
// small motion hardly has, are drawn back to none.
var stiff = params{stiffness, stiffness, stiffness, stiffness, stiffness / 2, stiffness / 2, stiffness / 2, stiffness / 2}

// View is where a picture lies in the first one.
type View struct {
	// Known is false where it could not be told.
	Known bool
	// ToFirst maps positions in this picture to the first picture.
	ToFirst Warp
	// RestPx is how far the surroundings are still moved then: three of four places
	// with structure lie nearer.
	RestPx float64
}

// Steady follows a camera that turns, shakes or zooms against the surroundings of a
// person. Each picture is compared with a key picture, not with the one before, so
// that errors do not add up; what is left out is where people are in either. A
// picture is not known where no turn of the camera explains what is seen: where the
// camera travels, so that near things move otherwise than far ones.
type Steady struct {
	key      *thumb
	keyFirst Warp // of the key, in the pixels of thumbnails
	edges    []edge
	sums     []params // derivatives of the edges
	last     Warp     // from the key to the last picture
	gonePx   [2]float64
	lost     bool
}

// Next places the next picture; shiftPx is how far the surroundings moved since the
// one before, as a Watcher tells.
func (s *Steady) Next(f *video.Frame, people []Box, shiftPx [2]float64) View {
	now := &thumb{}
	if s.lost || !now.fill(f, steadyPx) {
		return View{}
	}
	if s.key == nil {
		s.keyFirst = Same()
		s.begin(now, people)
		return View{Known: true, ToFirst: Same()}
	}
	if now.w != s.key.w || now.h != s.key.h {
		s.lost = true
		return View{}
	}
	step := float64(now.step)
	s.gonePx[0], s.gonePx[1] = s.gonePx[0]+shiftPx[0], s.gonePx[1]+shiftPx[1] // since the last known picture
	guess := Warp{1, 0, s.gonePx[0] / step, 0, 1, s.gonePx[1] / step, 0, 0, 1}
	there := guess.after(&s.last)
	got := s.register(now, people, there)
	if !got.ok {
		return View{}
	}
	s.last, s.gonePx = got.warp, [2]float64{}
	back := got.warp.inverse()
	first := s.keyFirst.after(&back)
	if got.inSight < keyShare {
		s.keyFirst = first
		s.begin(now, people)
	}
	// Thumbnails' pixels are the middles of squares of step pixels.
	up := Warp{step, 0, (step - 1) / 2, 0, step, (step - 1) / 2, 0, 0, 1}
	down := up.inverse()
	first = first.after(&down)
	return View{Known: true, ToFirst: up.after(&first), RestPx: got.rest * step}
}

// begin makes a picture the key.
func (s *Steady) begin(t *thumb, people []Box) {
	s.key, s.last = t, Same()
	mask := make([]bool, len(t.pix))
	t.mask(mask, people...)
	s.edges = thin(structure(t, mask))
	frame := scaledTo(t.w, t.h)
	s.sums = s.sums[:0]
	for i := range s.edges {
		e := &s.edges[i]
		s.sums = append(s.sums, frame.slopes(float64(e.x), float64(e.y), e.gx, e.gy))
	}
}

// thin keeps mostEdges at most, evenly.
func thin(all []edge) []edge {
	if len(all) <= mostEdges {
		return all
	}
	out := make([]edge, mostEdges)
	for i := range out {
		out[i] = all[i*len(all)/mostEdges]
	}
	return out
}

// placed is the outcome of one registration.
type placed struct {
	ok            bool
	warp          Warp // from the key to the picture
	inSight, rest float64
}

// register finds the Warp from the key to a picture, beginning with a guess: shift,
// zoom and roll first, then all of it (S. Baker and I. Matthews, "Lucas-Kanade 20
// years on", 2004, the inverse compositional form).
func (s *Steady) register(now *thumb, people []Box, w Warp) placed {
	free := make([]bool, len(now.pix))
	now.mask(free, people...)
	out := placed{warp: w}
	for _, stage := range [...]struct {
		params, steps int
		strict        bool
	}{{2, 6, false}, {4, 6, false}, {4, 6, true}, {8, 10, true}} {
		tried := placed{warp: out.warp}
		if !s.descend(now, free, &tried.warp, stage.params, stage.steps, stage.strict) {
			return placed{}
		}
		n, _ := s.differ(now, free, &tried.warp)
		tried.inSight = float64(n) / math.Max(1, float64(len(s.edges)))
		tried.rest, tried.ok = s.rest()
		tried.ok = tried.ok && n >= minSamples && tried.rest <= mostRest && s.alike(now) > lostAlike
		if stage.params < 8 || !out.ok || tried.ok && tried.rest < betterRest*out.rest {
			out = tried
		}
		if stage.strict && out.ok && out.rest < enoughRest {
			break
		}
	}
	return out
}

// descend takes steps of the first so many params; it reports false where they lead
// nowhere.
func (s *Steady) descend(now *thumb, free []bool, w *Warp, params, steps int, strict bool) bool {
	frame := scaledTo(now.w, now.h)
	for range steps {
		n, limit := s.differ(now, free, w)
		if n < minSamples {
			return false
		}
		p := s.solve(frame, w, params, limit, strict)
		change := frame.warp(&p)
		back := change.inverse()
		*w = w.after(&back)
		if !w.valid(float64(now.w), float64(now.h)) {
			return false
		}
		if change.far(float64(now.w), float64(now.h)) < enoughPx {
			break
		}
	}
	return true
}

// differ fills in the differences at the edges that are in sight and free, less
// their mean; limit is where they lose influence.
func (s *Steady) differ(now *thumb, free []bool, w *Warp) (n int, limit float64) {
	mean := 0.0
	for i := range s.edges {
		e := &s.edges[i]
		x, y := w.At(float64(e.x), float64(e.y))
		v, ok := now.at(x, y)
		if e.seen = ok && free[int(y)*now.w+int(x)]; e.seen {
			e.e = v - float64(s.key.pix[e.y*s.key.w+e.x])
			n, mean = n+1, mean+e.e
		}
	}
	mean /= math.Max(1, float64(n))
	var sizes []float64
	for i := range s.edges {
		if e := &s.edges[i]; e.seen {
			e.e -= mean
			if i%medianOf == 0 {
				sizes = append(sizes, math.Abs(e.e))
			}
		}
	}
	return n, robust*median(sizes) + 1
}

// solve takes one step of the first so many params. What moves by itself has little
// weight (P. Huber's), and almost none where it is strict (Geman and McClure's),
// which wants a good guess.
func (s *Steady) solve(frame scaled, w *Warp, count int, limit float64, strict bool) (p params) {
	var a [8][8]float64
	var b params
	n := 0.0
	for i := range s.edges {
		e, j := &s.edges[i], &s.sums[i]
		if !e.seen {
			continue
		}
		weight := 1.0
		if size := math.Abs(e.e); strict {
			weight = limit * limit / (limit*limit + size*size)
			weight *= weight
		} else if size > limit {
			weight = limit / size
		}
		n++
		for r := range count {
			k := weight * j[r]
			b[r] += k * e.e
			for c := range r + 1 {
				a[r][c] += k * j[c]
			}
		}
	}
	total := frame.params(w)
	for r := range count {
		a[r][r] += stiff[r] * n
		if r >= 4 {
			b[r] += stiff[r] * n * total[r]
		}
	}
	return cholesky(&a, b, count)
}

// cholesky solves a x = b for the first n rows of a symmetric positive definite a, of
// which the lower half is given.
func cholesky(a *[8][8]float64, b params, n int) params {
	for r := range n {
		for c := range r + 1 {
			v := a[r][c]
			for k := range c {
				v -= a[r][k] * a[c][k]
			}
			if r == c {
				a[r][r] = math.Sqrt(math.Max(v, 1e-12))
			} else {
				a[r][c] = v / a[c][c]
			}
		}
	}
	for r := range n {
		for k := range r {
			b[r] -= a[r][k] * b[k]
		}
		b[r] /= a[r][r]
	}
	for r := n - 1; r >= 0; r-- {
		for k := r + 1; k < n; k++ {
			b[r] -= a[k][r] * b[k]
		}
		b[r] /= a[r][r]
	}
	return b
}

// rest is how far the blocks are still moved, restShare of them, in pixels of the
// thumbnail; enough is false if too few have structure, or all in one place.
func (s *Steady) rest() (far float64, enough bool) {
	const side = steadySize * blockPx
	nx, ny := s.key.w/side+1, s.key.h/side+1
	type sums struct{ n, xx, yy, xy, xe, ye float64 }
	blocks := make([]sums, nx*ny)
	for i := range s.edges {
		if e := &s.edges[i]; e.seen {
			b := &blocks[e.y/side*nx+e.x/side]
			b.n++
			b.xx, b.yy, b.xy = b.xx+e.gx*e.gx, b.yy+e.gy*e.gy, b.xy+e.gx*e.gy
			b.xe, b.ye = b.xe+e.gx*e.e, b.ye+e.gy*e.e
		}
	}
	var moved []float64
	x0, x1, y0, y1 := nx, 0, ny, 0
	for i := range blocks {
		b := &blocks[i]
		if b.n < blockPx || b.xx+b.yy < blockTexture*b.n {
			continue
		}
		// Along an edge nothing can be told: it counts as still.
		xx, yy := b.xx+blockTexture*b.n/8, b.yy+blockTexture*b.n/8
		det := xx*yy - b.xy*b.xy
		moved = append(moved, math.Hypot((yy*b.xe-b.xy*b.ye)/det, (xx*b.ye-b.xy*b.xe)/det))
		x0, x1, y0, y1 = min(x0, i%nx), max(x1, i%nx+1), min(y0, i/nx), max(y1, i/nx+1)
	}
	if len(moved) < minBlocks || float64((x1-x0)*side) < minSpread*float64(s.key.w) && float64((y1-y0)*side) < minSpread*float64(s.key.h) {
		return 0, false
	}
	return quantile(moved, restShare), true
}

// alike is the correlation of the key with the picture at the edges in sight.
func (s *Steady) alike(now *thumb) float64 {
	var n, sa, sb, saa, sbb, sab float64
	for i := range s.edges {
		e := &s.edges[i]
		if !e.seen {
			continue
		}
		u := float64(s.key.pix[e.y*s.key.w+e.x])
		v := u + e.e
		n, sa, sb, saa, sbb, sab = n+1, sa+u, sb+v, saa+u*u, sbb+v*v, sab+u*v
	}
	va, vb := saa/n-sa/n*sa/n+1, sbb/n-sb/n*sb/n+1
	return (sab/n - sa/n*sb/n + 1) / math.Sqrt(va*vb)
}
