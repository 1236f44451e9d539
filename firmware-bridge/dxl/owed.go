package dxl

import (
	"errors"
	"os"
)

// A late answer is one that comes after its exchange was given up. It must never pass
// for the answer to a later request, for then a loop would act on data of unknown age.
//
// What is relied on: a device begins to answer within the deadline of its exchange or
// never (its return delay is 0.5 ms at most), and what lies between it and us (adapter,
// kernel, hubs) may hold bytes back for as long as it likes but keeps their order.
//
// Then: when the answer to one request has come, nothing can still come of those before
// it. What may still come is therefore owed by the requests since then only. A Bus
// remembers for how many bytes of data each of them asked, at most maxOwed, and sends no
// request that asks for as many: group reads ask for a few bytes before their block, too,
// which an answered line never needs and so costs nothing. An answer of another length,
// or of another device, is not taken. If maxOwed requests are owed, and for exchanges that
// cannot ask for more, the line is first cleared: probes go out until one is answered,
// reads whose pair of device and length comes round only after probeLengths times the
// number of devices asked. Only an answer that the line held back for as many probes, a
// tick each in a loop, could still deceive. Only pings go out on a line that was merely
// quiet: not every device that answers them can be probed.
type owed struct {
	sizes [maxOwed]int // bytes of data
	n     int
	probe uint // probes sent
}

const (
	// maxOwed is also by how many bytes a read is made longer at most.
	maxOwed = 4
	// probeLengths is a prime, so that lengths and devices pair up in every way, and
	// below the shortest table of a device.
	probeLengths = 61
)

func (o *owed) has(size int) bool {
	for _, s := range o.sizes[:o.n] {
		if s == size {
			return true
		}
	}
	return false
}

// settle takes in what became of a request for size bytes. With heard an answer to it
// came; whole says that nothing of it can still come.
func (o *owed) settle(size int, heard, whole bool) {
	if heard {
		o.n = 0
	}
	if !whole && o.n < maxOwed {
		o.sizes[o.n] = size
		o.n++
	}
}

// lead returns by how many bytes a read of size bytes is to be longer, most at most, so
// that nothing owed can pass for its answer; ok is false if there is no such length.
func (o *owed) lead(size, most int) (n int, ok bool) {
	if o.n == maxOwed {
		return 0, false // one more could not be remembered
	}
	for n <= most {
		if !o.has(size + n) {
			return n, true
		}
		n++
	}
	return 0, false
}

// clear sends one probe to one of ids, in turn. It reports whether the line is clear, and
// if not whether it was quiet all the while. It allocates nothing.
func (b *Bus) clear(ids ...ID) (clear, quiet bool) {
	o := &b.owed
	for o.probe++; o.has(1 + int(o.probe%probeLengths)); o.probe++ {
	}
	id, size := ids[o.probe%uint(len(ids))], 1+int(o.probe%probeLengths)
	b.probeParams = [4]byte{2: byte(size)}
	keep := b.tx
	defer func() { b.tx = keep }()
	b.probeTx = Append(b.probeTx[:0], &Packet{ID: id, Instruction: InstRead, Params: b.probeParams[:]})
	b.tx = b.probeTx
	if b.send() != nil {
		return false, false
	}
	deadline := b.cfg.Now().Add(b.wireTime(len(b.tx)+statusEmptyWire+size) + b.cfg.ReturnDelay + b.cfg.Margin)
	quiet = true
	var p Packet
	for {
		switch b.dec.Next(&p) {
		case NeedMore:
			if err := b.receive(deadline); err != nil {
				return false, quiet && errors.Is(err, os.ErrDeadlineExceeded)
			}
			quiet = false
		case Got:
			if p.Instruction == InstStatus && p.ID == id && p.Code() == CodeOK && len(p.Params) == size {
				o.n = 0
				return true, false
			}
		}
	}
}
