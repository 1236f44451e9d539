package demonstrator

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/mp4"
)

// Recorded says what Record wrote.
type Recorded struct {
	Video  string `json:"video"`
	Truth  string `json:"truth"`
	Scene  string `json:"scene"`
	Second string `json:"second,omitempty"` // the other person's motion
	Frames int    `json:"frames"`           // of the motion; the file may have fewer
}

// Progress hears how many frames are drawn, of how many.
type Progress func(done, total int)

// beside is the name of a file beside a clip: a.mp4 has a.truth.human.npz.
func beside(video, suffix string) string {
	return strings.TrimSuffix(video, filepath.Ext(video)) + suffix
}

// TruthName is the name of the truth beside a clip, SceneName that of what is known of
// its pictures, SecondName that of the other person's motion.
func TruthName(video string) string  { return beside(video, ".truth.human.npz") }
func SceneName(video string) string  { return beside(video, ".truth.scene.npz") }
func SecondName(video string) string { return beside(video, ".second.human.npz") }

// Record films the motion to an mp4 file and writes the exact truth beside it. progress,
// which may be nil, hears of every frame.
func Record(ctx context.Context, m Motion, opt Options, video string, progress Progress) (Recorded, error) {
	for _, p := range m.Needs() {
		if !slices.Contains(opt.Props, p) {
			opt.Props = append(slices.Clone(opt.Props), p)
		}
	}
	truth, err := Perform(m, opt)
	if err != nil {
		return Recorded{}, err
	}
	return RecordTruth(ctx, truth, opt, video, progress)
}

// RecordTruth is Record of a motion that Perform or Mimic returned with the same options.
func RecordTruth(ctx context.Context, truth *human.Motion, opt Options, video string, progress Progress) (Recorded, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Recorded{}, err
	}
	take, err := TakeOf(truth, opt)
	if err != nil {
		return Recorded{}, err
	}
	w, err := mp4.NewWith(video, opt.WidthPx, opt.HeightPx, truth.FPS, opt.Picture.encoding(opt.WidthPx, opt.HeightPx))
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
	done := Recorded{Video: video, Truth: TruthName(video), Scene: SceneName(video), Frames: len(truth.Frames)}
	// The truth first: a video under its final name always has it.
	if err := truth.Save(done.Truth); err != nil {
		return Recorded{}, err
	}
	if err := take.Save(done.Scene); err != nil {
		return Recorded{}, err
	}
	if take.Second != nil {
		done.Second = SecondName(video)
		if err := take.Second.Save(done.Second); err != nil {
			return Recorded{}, err
		}
	}
	return done, w.Close()
}
