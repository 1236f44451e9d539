package demonstrator

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/models/mp4"
)

// Recorded says what Record wrote.
type Recorded struct {
	Video  string `json:"video"`
	Truth  string `json:"truth"`
	Frames int    `json:"frames"`
}

// TruthName is the name of the truth beside a clip: a.mp4 has
// a.truth.human.npz.
func TruthName(video string) string {
	return strings.TrimSuffix(video, filepath.Ext(video)) + ".truth.human.npz"
}

// Record films the motion to an mp4 file and writes the exact truth at the same
// frame times beside it. progress, which may be nil, hears of every frame.
func Record(ctx context.Context, m Motion, opt Options, video string, progress func(done, total int)) (Recorded, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Recorded{}, err
	}
	truth, err := Perform(m, opt)
	if err != nil {
		return Recorded{}, err
	}
	w, err := mp4.New(video, opt.WidthPx, opt.HeightPx, opt.FPS)
	if err != nil {
		return Recorded{}, err
	}
	defer w.Abort()
	err = Film(ctx, truth, opt, func(frame int, rgb []byte) error {
		if progress != nil {
			progress(frame+1, len(truth.Frames))
		}
		return w.WriteRGB(rgb)
	})
	if err != nil {
		return Recorded{}, err
	}
	// The truth first: a video under its final name always has it.
	if err := truth.Save(TruthName(video)); err != nil {
		return Recorded{}, err
	}
	return Recorded{video, TruthName(video), len(truth.Frames)}, w.Close()
}
