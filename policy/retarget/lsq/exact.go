package lsq

// turnsPerUnknown bounds the turns of Exact; each stops or lets go one unknown, and few are needed.
const turnsPerUnknown = 10

// Exact solves as Step does, but for the least that there is within the box: unknowns are stopped one after another,
// the nearest first, and let go again where the solution pulls them back inside. It is for problems whose unknowns hang
// together so stiffly that several stopped at once contradict each other. No step, 0, must lie in the box.
func (p *Dense) Exact(active []int, box Box) ([]float64, error) {
	x := make([]float64, p.nv)
	for _, i := range active {
		p.frozen[i], p.step[i] = false, 0
	}
	for range turnsPerUnknown * (len(active) + 1) {
		if err := p.solveFree(active); err != nil {
			return nil, err
		}
		share, stop, at := p.blocked(active, box, x)
		for _, i := range active {
			x[i] += share * (p.step[i] - x[i])
		}
		if stop >= 0 {
			x[stop], p.frozen[stop] = at, true
		} else if free := p.pulled(active, box, x); free >= 0 {
			p.frozen[free] = false
		} else {
			break
		}
		copy(p.step, x)
	}
	copy(p.step, x)
	return p.step, nil
}

// blocked returns how much of the way from x to p.step can be gone, and the unknown that is then stopped, and where; -1
// if all of it can.
func (p *Dense) blocked(active []int, box Box, x []float64) (share float64, stop int, at float64) {
	share, stop = 1, -1
	for _, i := range active[box.First:] {
		way := p.step[i] - x[i]
		end := box.Hi[i] - box.At[i]
		if way < 0 {
			end = box.Lo[i] - box.At[i]
		}
		if p.frozen[i] || way == 0 || (p.step[i]-end)*way <= 0 {
			continue
		}
		if s := max(0, (end-x[i])/way); s < share || stop < 0 {
			share, stop, at = s, i, end
		}
	}
	return share, stop, at
}

// pulled returns the stopped unknown that is pulled inside most, -1 if none is.
func (p *Dense) pulled(active []int, box Box, x []float64) int {
	const leastPull = 1e-9
	worst, most := -1, leastPull
	for _, i := range active[box.First:] {
		if !p.frozen[i] || box.Lo[i] == box.Hi[i] {
			continue
		}
		pull := p.g[i] // downhill
		for _, j := range active {
			pull -= p.h[max(i, j)*p.nv+min(i, j)] * x[j]
		}
		if x[i] >= box.Hi[i]-box.At[i] {
			pull = -pull
		}
		if pull > most {
			worst, most = i, pull
		}
	}
	return worst
}
