package physique

import (
	"math"
	"testing"

	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func kata(t testing.TB, change func(d *robot.Description)) *Robot {
	t.Helper()
	d, err := robot.Load("kata20")
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(d)
	}
	b, err := body.New(d)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestLimitsLieInsideTheDescription: ranges keep a gap to the description's, hold the standing pose, and speeds stay
// below the share of what servo and joint give.
func TestLimitsLieInsideTheDescription(t *testing.T) {
	r := kata(t, func(d *robot.Description) { d.Joints[2].SpeedLimitRadPerS = 0.5 })
	for k, i := range r.Joints {
		j, ref := r.Desc.Joints[k], r.An.Ref[r.DofQ[i]]
		if r.LoRad[i] < j.MinRad || r.HiRad[i] > j.MaxRad || r.LoRad[i] > ref || r.HiRad[i] < ref {
			t.Errorf("%s: %g to %g; the description says %g to %g, it stands at %g", j.Name, r.LoRad[i], r.HiRad[i], j.MinRad, j.MaxRad, ref)
		}
		if r.LoRad[i] != ref && r.LoRad[i]-j.MinRad < limitGapRad-1e-12 || r.HiRad[i] != ref && j.MaxRad-r.HiRad[i] < limitGapRad-1e-12 {
			t.Errorf("%s: no room is left to its limits", j.Name)
		}
		want := SpeedShare * r.Desc.ServoOf(k).NoLoadSpeedRadPerS
		if k == 2 {
			want = 0.5
		}
		if r.SpeedRadPerS[i] != want {
			t.Errorf("%s: %g rad/s, want %g", j.Name, r.SpeedRadPerS[i], want)
		}
	}
	if len(r.Hinges()) != len(r.Desc.Joints) || len(r.Active) != len(r.Hinges())+rootFree {
		t.Errorf("%d hinges, %d active", len(r.Hinges()), len(r.Active))
	}
}

// TestKneesStayBent: at the most stretched angle that is left, the leg is not straight, and shorter than when it is.
func TestKneesStayBent(t *testing.T) {
	r := kata(t, nil)
	d := r.Kin.NewData()
	for s := range r.An.Legs {
		l := &r.An.Legs[s]
		path := r.Kin.Path(l.Knee.Body)
		knee := path[len(path)-1]
		longest := 0.0
		for _, v := range []float64{r.LoRad[knee], r.HiRad[knee]} {
			q := append([]float64(nil), r.An.Ref...)
			q[r.DofQ[knee]] = v
			r.Kin.Forward(d, q)
			longest = math.Max(longest, l.Hip.At(d).Sub(l.Ankle.At(d)).Norm())
		}
		// By the law of cosines, for a bend of leastBendRad.
		a, b := l.ThighM, l.ShankM
		if most := math.Sqrt(a*a + b*b + 2*a*b*math.Cos(leastBendRad)); longest > most+1e-6 || longest < 0.98*most {
			t.Errorf("leg %d reaches %.4f m from hip to ankle; want %.4f", s, longest, most)
		}
	}
}

// TestStandIsMeasured: what was noted of the standing pose gives it back.
func TestStandIsMeasured(t *testing.T) {
	r := kata(t, nil)
	d := r.Kin.NewData()
	r.Kin.Forward(d, r.An.Ref)
	var mid spatial.Vec3
	for s := range r.An.Legs {
		l := &r.An.Legs[s]
		below := d.Point(l.Foot, r.FootPoint[s])
		if below.Sub(r.StandFeet[s]).Norm() > 1e-6 {
			t.Errorf("foot %d: the sole point is at %v, noted at %v", s, below, r.StandFeet[s])
		}
		sole := below.Add(d.BodyRot[l.Foot].Mul(l.FootFromSole).Rotate(r.SoleOffset[s]))
		if off := sole.Sub(d.Point(l.Foot, l.SoleCenter)).Norm(); off > 1e-9 {
			t.Errorf("foot %d: the sole's middle is %g m off", s, off)
		}
		mid = mid.Add(l.Hip.At(d).Scale(0.5))
		if hip := d.Point(r.An.Root, r.HipMid).Add(r.HipFromMid[s]); hip.Sub(l.Hip.At(d)).Norm() > 1e-9 {
			t.Errorf("hip %d at %v, noted %v", s, l.Hip.At(d), hip)
		}
	}
	if off := d.Point(r.An.Root, r.HipMid).Sub(mid).Norm(); off > 1e-9 || math.Abs(mid[2]-r.StandHipM) > 1e-9 {
		t.Errorf("the middle of the hips is %g m off, %g m high", off, r.StandHipM)
	}
	if up := d.BodyRot[r.An.Chest].Mul(r.ChestFromBody); math.Abs(up.Log().Norm()) > 1e-9 {
		t.Errorf("the chest stands at %v", up)
	}
	if r.WidestM < r.StandFeet[0][1]-r.StandFeet[1][1] {
		t.Errorf("feet may stand %.3f m apart, less than they do", r.WidestM)
	}
}

// TestDeriveIsExactForAParabola: a joint that moves as t^2 has its speed and acceleration back, and nothing else moves.
func TestDeriveIsExactForAParabola(t *testing.T) {
	r := kata(t, nil)
	const fps, n = 100.0, 30
	i := r.Joints[5]
	var q [][]float64
	for k := range n {
		row := append([]float64(nil), r.An.Ref...)
		s := float64(k) / fps
		row[r.DofQ[i]] += 0.3*s + 2*s*s
		q = append(q, row)
	}
	m := r.Derive(q, fps)
	for k := 1; k+1 < n; k++ {
		s := float64(k) / fps
		for j := range m.Vel[k] {
			vel, acc := 0.0, 0.0
			if j == i {
				vel, acc = 0.3+4*s, 4
			}
			if math.Abs(m.Vel[k][j]-vel) > 1e-9 || math.Abs(m.Acc[k][j]-acc) > 1e-7 {
				t.Fatalf("frame %d, dof %d: %g, %g; want %g, %g", k, j, m.Vel[k][j], m.Acc[k][j], vel, acc)
			}
		}
	}
}

func TestMovesFindsWhatIsThere(t *testing.T) {
	path := []int{0, 3, 4, 9}
	for i := -1; i < 12; i++ {
		want := i == 0 || i == 3 || i == 4 || i == 9
		if Moves(path, i) != want || Moves(nil, i) {
			t.Errorf("%d: %v", i, Moves(path, i))
		}
	}
}

// TestDrawnInHasNoCorner: nothing is changed within reach, nothing goes straight, and speed changes without a jump.
func TestDrawnInHasNoCorner(t *testing.T) {
	const easy, h = 0.9, 1e-4
	last, slope := drawnIn(0.5, easy), 1.0
	for far := 0.5 + h; far < 3; far += h {
		v := drawnIn(far, easy)
		if far < easy && v != far || v < last || v > 1-(1-reachUse)*(1-easy) {
			t.Fatalf("%g becomes %g", far, v)
		}
		if s := (v - last) / h; math.Abs(s-slope) > 0.01 {
			t.Fatalf("at %g the speed jumps from %.3f to %.3f", far, slope, s)
		} else {
			slope = s
		}
		last = v
	}
}
