package retarget

import "github.com/mitori-robotics/mitori/models/human"

// Objection is what a human motion's file says against itself: the verdict of the extraction, which a retargeting of it
// should obey.
type Objection struct {
	Refused bool     // it is not what the person did: not to be retargeted unless asked for all the same
	Why     []string // the extraction's own words; with Refused at least one
}

// SourceObjection returns what the file says, nil where it says nothing: good, or a motion that no video was looked
// at for.
func SourceObjection(m *human.Motion) *Objection {
	const refused, good = "refused", "good" // as in the format of human motions
	switch why := m.Meta.Warnings; {
	case m.Meta.Verdict == refused && len(why) == 0:
		return &Objection{Refused: true, Why: []string{"the extraction refused this motion and does not say why"}}
	case m.Meta.Verdict == refused:
		return &Objection{Refused: true, Why: why}
	case m.Meta.Verdict != "" && m.Meta.Verdict != good && len(why) > 0:
		return &Objection{Why: why}
	}
	return nil
}
