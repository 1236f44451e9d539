//go:build !(opencv && cgo)

package board

// picture stands for a photo, which this build cannot read.
type picture struct{}

func decode([]byte) (*picture, error)                  { return nil, ErrNotBuilt }
func (*picture) close()                                {}
func (*picture) size() (widthPx, heightPx int)         { return 0, 0 }
func (*picture) bright(float64, float64) float64       { return 0 }
func (*picture) corners(int, int) ([][2]float64, bool) { return nil, false }
