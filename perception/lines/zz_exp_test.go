package lines

import (
	"encoding/gob"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/mitori-robotics/mitori/models/spatial"
)

type seg struct {
	W, H int
	S    []Segment
}

func load(name string) (c seg) {
	f, err := os.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if err := gob.NewDecoder(f).Decode(&c); err != nil {
		panic(err)
	}
	return c
}

func upOf(p, r float64) spatial.Vec3 {
	return spatial.Vec3{math.Sin(r) * math.Cos(p), -math.Cos(r) * math.Cos(p), -math.Sin(p)}
}

func TestExpScene(t *testing.T) {
	l, _ := filepath.Glob("/tmp/cam/seg/*.seg")
	for _, name := range l {
		c := load(name)
		v := NewView(c.S, c.W, c.H)
		long := float64(max(c.W, c.H))
		fmt.Printf("%s: %d segments\n", filepath.Base(name), len(c.S))
		rad := math.Pi / 180
		for _, ratio := range []float64{0.7, 0.875, 1.1, 1.45} {
			f := ratio * long
			best, bp, br := math.Inf(-1), 0.0, 0.0
			for p := -32.0; p <= 32; p += 2 {
				for r := -30.0; r <= 30; r += 2 {
					if a := v.Upright(f, upOf(p*rad, r*rad)); a > best {
						best, bp, br = a, p, r
					}
				}
			}
			for step := 1.0; step > 0.1; step /= 2 {
				for range 4 {
					for _, d := range [][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
						if a := v.Upright(f, upOf((bp+d[0]*step)*rad, (br+d[1]*step)*rad)); a > best {
							best, bp, br = a, bp+d[0]*step, br+d[1]*step
						}
					}
				}
			}
			fmt.Printf("  f %.2f  vertical %6.1f at pitch %5.1f roll %5.1f   manhattan + %6.1f\n", ratio, best, bp, br, v.Level(f, upOf(bp*rad, br*rad), v.Yaw(f, upOf(bp*rad, br*rad))))
		}
	}
}
