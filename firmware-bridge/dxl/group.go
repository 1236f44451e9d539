package dxl

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// checkGroup refuses what no sync instruction can address.
func checkGroup(ids []ID, size int) error {
	if len(ids) == 0 {
		return errors.New("dxl: group of no devices")
	}
	if size < 1 || size > 1024 {
		return fmt.Errorf("dxl: block of %d bytes; legal 1..1024", size)
	}
	var seen [256]bool
	for _, id := range ids {
		if id > MaxID {
			return fmt.Errorf("dxl: id %d is not a device; legal 0..%d", id, MaxID)
		}
		if seen[id] {
			return fmt.Errorf("dxl: id %d listed twice", id)
		}
		seen[id] = true
	}
	return nil
}

// SyncWriter writes the same registers of a fixed list of devices with one packet that
// nobody answers. Write allocates nothing.
type SyncWriter struct {
	bus    *Bus
	n      int
	size   int
	params []byte
	tx     []byte
}

// NewSyncWriter prepares writes of size bytes at addr of ids.
func NewSyncWriter(b *Bus, ids []ID, addr uint16, size int) (*SyncWriter, error) {
	if err := checkGroup(ids, size); err != nil {
		return nil, err
	}
	w := &SyncWriter{bus: b, n: len(ids), size: size}
	w.params = append(w.params, byte(addr), byte(addr>>8), byte(size), byte(size>>8))
	for _, id := range ids {
		w.params = append(w.params, byte(id))
		w.params = append(w.params, make([]byte, size)...)
	}
	// Stuffing adds at most one byte in three.
	w.tx = make([]byte, 0, preambleLen+1+len(w.params)*4/3+8)
	return w, nil
}

// Len is the number of devices.
func (w *SyncWriter) Len() int { return w.n }

// Data is where to put the bytes of device i before Write.
func (w *SyncWriter) Data(i int) []byte {
	at := 4 + i*(1+w.size) + 1
	return w.params[at : at+w.size : at+w.size]
}

// Write sends what Data holds.
func (w *SyncWriter) Write() error {
	w.tx = Append(w.tx[:0], &Packet{ID: Broadcast, Instruction: InstSyncWrite, Params: w.params})
	keep := w.bus.tx
	w.bus.tx = w.tx
	err := w.bus.send()
	w.bus.tx = keep
	return err
}

// GoalWriter writes goal positions.
type GoalWriter struct{ w *SyncWriter }

// NewGoalWriter prepares writes of Goal Position to ids.
func NewGoalWriter(b *Bus, ids []ID) (*GoalWriter, error) {
	w, err := NewSyncWriter(b, ids, GoalPosition.Addr(), GoalPosition.Size())
	if err != nil {
		return nil, err
	}
	return &GoalWriter{w}, nil
}

// Write sends one goal for each id, in their order. It allocates nothing.
func (g *GoalWriter) Write(goals []PositionCount) error {
	if len(goals) != g.w.n {
		panic("dxl: GoalWriter.Write: as many goals as ids")
	}
	for i, v := range goals {
		GoalPosition.Put(g.w.Data(i), v)
	}
	return g.w.Write()
}

// ReadMode chooses the instruction of a SyncReader. Not every firmware knows Fast.
type ReadMode uint8

const (
	// Fast uses fast sync read: one answer for all, 8+N(4+L) bytes.
	Fast ReadMode = iota
	// Plain uses sync read: N answers of 11+L bytes.
	Plain
)

// SyncReader reads the same registers of a fixed list of devices. Read allocates
// nothing.
//
// In either mode the devices answer one after the other, each waiting for its
// predecessor, so a dead one silences all listed behind it. The reader therefore moves
// a device that stayed silent to the end of the request, where it harms nobody.
//
// While answers may still come late it asks for up to maxOwed bytes before its block, too
// (see owed).
type SyncReader struct {
	bus     *Bus
	ids     []ID
	size    int
	addr    uint16
	lead    int // bytes before the block that this Read asks for, too
	mode    ReadMode
	order   []int
	sorted  []ID // ids in request order
	index   [256]int16
	params  []byte
	tx      []byte
	scratch []byte
	errs    []byte
	data    []byte
	outcome []Outcome
	alert   []bool
}

// NewSyncReader prepares reads of size bytes at addr of ids.
func NewSyncReader(b *Bus, ids []ID, addr uint16, size int, mode ReadMode) (*SyncReader, error) {
	if err := checkGroup(ids, size); err != nil {
		return nil, err
	}
	if FastStatusLen(len(ids), size+maxOwed) > decoderSize {
		return nil, fmt.Errorf("dxl: %d devices of %d bytes exceed an answer of %d bytes", len(ids), size, decoderSize)
	}
	n := len(ids)
	r := &SyncReader{
		bus: b, ids: append([]ID(nil), ids...), size: size, addr: addr, mode: mode,
		order: make([]int, n), sorted: make([]ID, n), params: make([]byte, 0, 4+n), tx: make([]byte, 0, preambleLen+8+n*2),
		scratch: make([]byte, n*(size+maxOwed)), errs: make([]byte, n), data: make([]byte, n*size),
		outcome: make([]Outcome, n), alert: make([]bool, n),
	}
	for i := range r.index {
		r.index[i] = -1
	}
	for i, id := range ids {
		r.order[i] = i
		r.index[id] = int16(i)
	}
	return r, nil
}

// Len is the number of devices.
func (r *SyncReader) Len() int { return len(r.ids) }

// Data is what device i last answered; see Outcome for whether that is fresh.
func (r *SyncReader) Data(i int) []byte { return r.data[i*r.size : (i+1)*r.size] }

// Outcome is what became of device i in the last Read.
func (r *SyncReader) Outcome(i int) Outcome { return r.outcome[i] }

// Alert reports whether device i signalled a hardware error in its last answer.
func (r *SyncReader) Alert(i int) bool { return r.alert[i] }

// Read asks all devices. It returns nil if all answered, ErrLinkLost if nobody did and
// nothing was damaged, else ErrBadData or ErrLinkLost by what the worst device did;
// Outcome tells them apart. Data of devices that did not answer stays as it was.
func (r *SyncReader) Read() error {
	inst := InstFastSyncRead
	if r.mode == Plain {
		inst = InstSyncRead
	}
	err := r.distinguish()
	first, length := int(r.addr)-r.lead, r.asked()
	r.params = append(r.params[:0], byte(first), byte(first>>8), byte(length), byte(length>>8))
	for k, i := range r.order {
		r.outcome[i] = Silent
		r.sorted[k] = r.ids[i]
		r.params = append(r.params, byte(r.ids[i]))
	}
	if err != nil {
		return r.conclude(err)
	}
	r.tx = Append(r.tx[:0], &Packet{ID: Broadcast, Instruction: inst, Params: r.params})
	keep := r.bus.tx
	r.bus.tx = r.tx
	err = r.bus.send()
	r.bus.tx = keep
	if err == nil {
		if inst == InstFastSyncRead {
			err = r.readFast()
		} else {
			err = r.readPlain()
		}
	}
	err = r.conclude(err)
	answered := 0
	for _, o := range r.outcome {
		if o == Answered {
			answered++
		}
	}
	r.bus.owed.settle(length, answered > 0, answered == len(r.ids))
	return err
}

// asked is how many bytes of each device this Read asks for.
func (r *SyncReader) asked() int { return r.lead + r.size }

// distinguish makes sure that no late answer can pass for one to this Read, by its length
// or by a line that is clear.
func (r *SyncReader) distinguish() error {
	var ok bool
	if r.lead, ok = r.bus.owed.lead(r.size, min(maxOwed, int(r.addr))); ok {
		return nil
	}
	if clear, _ := r.bus.clear(r.ids...); !clear {
		return ErrLinkLost
	}
	return nil
}

// deadline allows for the request, the answers and a return delay for each of pauses.
func (r *SyncReader) deadline(answer, pauses int) time.Time {
	b := r.bus
	return b.cfg.Now().Add(b.wireTime(len(r.tx)+answer) + time.Duration(pauses)*b.cfg.ReturnDelay + b.cfg.Margin)
}

// readFast collects the one answer by its length and takes it apart.
func (r *SyncReader) readFast() error {
	n, size := len(r.ids), r.asked()
	want := FastStatusLen(n, size)
	deadline := r.deadline(want, 1)
	for {
		raw := r.bus.dec.pending()
		complete := false
		if len(raw) >= want {
			got, found := DecodeFast(raw, r.sorted, size, r.scratch, r.errs)
			at, _ := seekFast(raw, want-preambleLen)
			complete = found && (got == n || len(at) >= want)
		}
		var err error
		if !complete {
			err = r.bus.receive(deadline)
		}
		if err == nil && !complete {
			continue
		}
		raw = r.bus.dec.pending()
		got, found := DecodeFast(raw, r.sorted, size, r.scratch, r.errs)
		for k := range got {
			r.accept(r.order[k], r.errs[k], r.scratch[k*size+r.lead:(k+1)*size])
		}
		// The block after the last good one is damaged if its bytes came.
		if got < n && (found && len(raw) >= preambleLen+1+(got+1)*fastBlockLen(size) || !found && len(raw) > 0) {
			r.outcome[r.order[got]] = Damaged
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		return err
	}
}

// readPlain collects the answers of all devices.
func (r *SyncReader) readPlain() error {
	b := r.bus
	deadline := r.deadline(len(r.ids)*(statusEmptyWire+r.asked()), len(r.ids))
	left, damaged := len(r.ids), 0
	var p Packet
	for left > 0 {
		switch b.dec.Next(&p) {
		case NeedMore:
			if err := b.receive(deadline); err != nil {
				r.blame(damaged)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					err = nil
				}
				return err
			}
		case BadCRC, Malformed:
			damaged++
		case Got:
			i := r.index[p.ID]
			if p.Instruction != InstStatus || i < 0 {
				continue
			}
			if r.outcome[i] != Silent { // a doubled answer: two devices share the id
				r.outcome[i] = Damaged
				continue
			}
			if p.Code() != CodeOK {
				p.Params = nil
			} else if len(p.Params) != r.asked() { // a late answer; this device's own may follow
				damaged++
				continue
			} else {
				p.Params = p.Params[r.lead:]
			}
			left--
			r.accept(int(i), p.Error, p.Params)
		}
	}
	return nil
}

// blame marks the first silent devices, in request order, as damaged: as many as
// unusable answers came.
func (r *SyncReader) blame(damaged int) {
	for _, i := range r.order {
		if damaged > 0 && r.outcome[i] == Silent {
			r.outcome[i] = Damaged
			damaged--
		}
	}
}

// accept takes the answer of device i.
func (r *SyncReader) accept(i int, errByte byte, data []byte) {
	r.alert[i] = errByte&AlertBit != 0
	if Code(errByte&^AlertBit) != CodeOK {
		r.outcome[i] = Refused
		return
	}
	r.outcome[i] = Answered
	copy(r.data[i*r.size:(i+1)*r.size], data)
}

// conclude counts, adapts the order, and gives the verdict.
func (r *SyncReader) conclude(err error) error {
	answered, damaged, refused, firstSilent := 0, 0, 0, -1
	for k, i := range r.order {
		switch r.outcome[i] {
		case Answered:
			answered++
		case Damaged:
			damaged++
		case Refused:
			refused++
		case Silent:
			if firstSilent < 0 {
				firstSilent = k
			}
		}
		r.bus.counters[r.ids[i]].add(r.outcome[i], r.alert[i] && (r.outcome[i] == Answered || r.outcome[i] == Refused))
	}
	if err != nil {
		return err
	}
	heard := answered + refused
	// Only the first silent device is known to be at fault, and only if others answer.
	if firstSilent >= 0 && heard > 0 && damaged == 0 {
		dead := r.order[firstSilent]
		copy(r.order[firstSilent:], r.order[firstSilent+1:])
		r.order[len(r.order)-1] = dead
	}
	switch {
	case answered == len(r.ids):
		return nil
	case damaged > 0 || refused > 0:
		return ErrBadData
	}
	return ErrLinkLost
}
