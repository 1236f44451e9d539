package track

import "github.com/mitori-robotics/mitori/perception/scene"

// Bounds is the upright rectangle around the landmarks, empty where nobody is seen.
func (f *Frame) Bounds() scene.Box { return f.box() }
