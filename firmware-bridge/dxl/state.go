package dxl

// State is one servo's answer to a StateReader.
type State struct {
	Current  CurrentCount
	Velocity VelocityCount
	Position PositionCount
	Outcome  Outcome
	Alert    bool
}

// StateReader reads current, velocity and position (126..135) of a list of servos.
type StateReader struct{ *SyncReader }

// NewStateReader prepares reads of the state block of ids.
func NewStateReader(b *Bus, ids []ID, mode ReadMode) (*StateReader, error) {
	r, err := NewSyncReader(b, ids, StateAddr, StateSize, mode)
	if err != nil {
		return nil, err
	}
	return &StateReader{r}, nil
}

// ReadInto reads all servos into dst, in the order of the ids; the error is that of
// SyncReader.Read. Entries of servos that did not answer keep their last values. It
// allocates nothing.
func (r *StateReader) ReadInto(dst []State) error {
	if len(dst) != len(r.ids) {
		panic("dxl: StateReader.ReadInto: as many states as ids")
	}
	err := r.Read()
	for i := range dst {
		dst[i].Outcome, dst[i].Alert = r.Outcome(i), r.Alert(i)
		if dst[i].Outcome == Answered {
			block := r.Data(i)
			dst[i].Current = PresentCurrent.Get(block[PresentCurrent-StateAddr:])
			dst[i].Velocity = PresentVelocity.Get(block[PresentVelocity-StateAddr:])
			dst[i].Position = PresentPosition.Get(block[PresentPosition-StateAddr:])
		}
	}
	return err
}
