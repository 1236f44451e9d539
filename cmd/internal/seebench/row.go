package seebench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/sim/demonstrator"
)

// Row is one clip of the matrix and what is to be said of it.
type Row struct {
	Name       string // group/clip
	Motion     string // of the demonstrator
	FromS, ToS float64
	Options    demonstrator.Options
	Verdicts   []string // that are right
	// WithinMm is the MPJPE up to which a motion may be called good.
	WithinMm float64
	Unseen   []string // parts that must be named, unless the motion is refused
	Causal   bool     // also picture by picture, for its latency
}

// Group is the part of the name before the slash.
func (r *Row) Group() string {
	g, _, _ := strings.Cut(r.Name, "/")
	return g
}

// film renders the row's clip and its truth, or finds it there.
func (r *Row) film(ctx context.Context, video string) (*human.Motion, *demonstrator.Take, error) {
	if _, err := os.Stat(video); err == nil {
		truth, err := human.Load(demonstrator.TruthName(video))
		take, err2 := demonstrator.LoadTake(demonstrator.SceneName(video))
		if err := errors.Join(err, err2); !errors.Is(err, fs.ErrNotExist) {
			return truth, take, err
		}
	}
	truth, o, err := r.perform()
	if err != nil {
		return nil, nil, err
	}
	if _, err := demonstrator.RecordTruth(ctx, truth, o, video, nil); err != nil {
		return nil, nil, err
	}
	take, err := demonstrator.LoadTake(demonstrator.SceneName(video))
	return truth, take, err
}

// perform is the row's exact motion, from the clip's first picture on, and its scene.
func (r *Row) perform() (*human.Motion, demonstrator.Options, error) {
	o := r.Options
	m, err := demonstrator.Find(r.Motion)
	if err != nil {
		return nil, o, err
	}
	o.Props = append(slices.Clone(o.Props), m.Needs()...)
	truth, err := demonstrator.Perform(m, o)
	if err != nil {
		return nil, o, err
	}
	if truth, err = truth.Part(r.FromS, r.ToS); err != nil {
		return nil, o, err
	}
	truth.Meta.StartS = 0 // as the clip does
	return truth, o, nil
}

// judge says whether a verdict is right for the row, and which parts it should have named.
func (r *Row) judge(grade string, unseen []human.Unseen, mpjpeMm float64) (right bool, missing []string) {
	if grade != "refused" {
		for _, part := range r.Unseen {
			if !slices.ContainsFunc(unseen, func(u human.Unseen) bool { return covers(u.Part, part) }) {
				missing = append(missing, part)
			}
		}
	}
	right = slices.Contains(r.Verdicts, grade) && len(missing) == 0
	if grade == "good" && mpjpeMm > r.WithinMm {
		right = false
	}
	return right, missing
}

// covers tells whether naming one part of the body tells of another.
func covers(named, part string) bool {
	switch {
	case named == part, named == "person":
		return true
	case named == "legs":
		return part == "feet" || strings.HasSuffix(part, "leg") || strings.HasSuffix(part, "foot")
	case named == "feet":
		return strings.HasSuffix(part, "foot")
	case named == "arms":
		return strings.HasSuffix(part, "arm")
	case strings.HasSuffix(named, "leg"):
		return part == strings.TrimSuffix(named, "leg")+"foot"
	}
	return false
}

// Select returns the rows whose names match a pattern (path.Match, or a whole group's
// name); an empty one matches all.
func Select(rows []Row, pattern string) ([]Row, error) {
	if pattern == "" {
		return rows, nil
	}
	var out []Row
	for _, r := range rows {
		ok, err := filepath.Match(pattern, r.Name)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w; legal: as in camera/* or *march*", pattern, err)
		}
		if ok || r.Group() == pattern {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		var groups []string
		for _, r := range rows {
			if !slices.Contains(groups, r.Group()) {
				groups = append(groups, r.Group())
			}
		}
		return nil, fmt.Errorf("no row matches %q; legal: names as in camera/march-0.4m, patterns as in camera/*, groups: %s",
			pattern, strings.Join(groups, ", "))
	}
	return out, nil
}
