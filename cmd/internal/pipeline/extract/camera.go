package extract

import (
	"errors"
	"io"

	"github.com/mitori-robotics/mitori/perception/lines"
	"github.com/mitori-robotics/mitori/perception/solve"
	"github.com/mitori-robotics/mitori/perception/track"
	"github.com/mitori-robotics/mitori/perception/video"
)

// solving adds what the file says of its camera, where nobody said better.
func (o *Options) solving(info video.Info) solve.Options {
	s := o.Solve
	if s.FocalPx == 0 && s.FovRad == 0 && info.FocalPx > 0 {
		s.FocalPx, s.FocalFromFile = info.FocalPx, true
	}
	return s
}

// surroundings finds the straight edges around the person in the first picture that
// shows them; nil where there is none.
func surroundings(o Options, frames []track.Frame) (*lines.View, error) {
	for i := range frames {
		if !frames[i].Found {
			continue
		}
		src, err := video.Open(o.Video)
		if err != nil {
			return nil, err
		}
		view, err := look(src, &frames[i])
		return view, errors.Join(err, src.Close())
	}
	return nil, nil
}

// look reads the picture of frame f.
func look(src video.Source, f *track.Frame) (*lines.View, error) {
	if err := src.SeekS(f.TimeS); err != nil {
		return nil, err
	}
	p, err := src.Next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.Release()
	found := lines.Find(p.Pix, p.WidthPx, p.HeightPx, lines.Around(&f.Frame))
	return lines.NewView(found, p.WidthPx, p.HeightPx), nil
}
