package dxl

// Event is what a Decoder found.
type Event uint8

const (
	// NeedMore: no complete packet is buffered; feed more bytes.
	NeedMore Event = iota
	// Got: a packet was decoded.
	Got
	// BadCRC: something framed like a packet failed its checksum and was skipped.
	BadCRC
	// Malformed: a header with an impossible length, or a packet whose checksum holds
	// and whose content no sender may produce, was skipped.
	Malformed
)

// MinDecoderSize is the smallest useful buffer of a Decoder.
const MinDecoderSize = 64

// Decoder finds packets in a stream of bytes. It never looks for a header inside the
// declared length of a packet whose checksum holds (the answer to a fast read may
// contain FF FF FD); after a checksum failure it looks again one byte further, since
// the length itself may be what was damaged.
type Decoder struct {
	buf     []byte
	r, w    int
	skipped uint64
}

// NewDecoder returns a decoder that accepts packets up to size bytes on the wire.
func NewDecoder(size int) *Decoder {
	return &Decoder{buf: make([]byte, max(size, MinDecoderSize))}
}

// Reset forgets everything buffered.
func (d *Decoder) Reset() { d.r, d.w = 0, 0 }

// Skipped counts the bytes thrown away as noise since the decoder was made.
func (d *Decoder) Skipped() uint64 { return d.skipped }

// Space returns where to put further bytes; say how many came with Fed. It
// invalidates the last packet. After NeedMore it is never empty.
func (d *Decoder) Space() []byte {
	if d.r > 0 {
		copy(d.buf, d.buf[d.r:d.w])
		d.w -= d.r
		d.r = 0
	}
	return d.buf[d.w:]
}

// Fed says that n bytes were written into Space.
func (d *Decoder) Fed(n int) {
	if n < 0 || d.w+n > len(d.buf) {
		panic("dxl: Fed more than Space offered")
	}
	d.w += n
}

// Feed copies as much of p as fits and returns how much that was.
func (d *Decoder) Feed(p []byte) int {
	n := copy(d.Space(), p)
	d.Fed(n)
	return n
}

// pending is what is buffered and not yet decoded.
func (d *Decoder) pending() []byte { return d.buf[d.r:d.w] }

// Next decodes the next packet into p. p.Params points into the decoder and is valid
// until the next call of Next, Space, Feed or Reset.
func (d *Decoder) Next(p *Packet) Event {
	if !d.seek() || d.w-d.r < preambleLen {
		return NeedMore
	}
	b := d.buf[d.r:d.w]
	id := ID(b[4])
	length := int(b[5]) | int(b[6])<<8
	if id > MaxID && id != Broadcast || length < minInstructionLen || preambleLen+length > len(d.buf) {
		d.skip(1)
		return Malformed
	}
	total := preambleLen + length
	if len(b) < total {
		return NeedMore
	}
	b = b[:total]
	if CRC(0, b[:total-crcLen]) != uint16(b[total-2])|uint16(b[total-1])<<8 {
		d.skip(1)
		return BadCRC
	}
	d.r += total
	inst := Instruction(b[preambleLen])
	body := b[preambleLen : total-crcLen]
	if inst == InstStatus && length < minStatusLen {
		d.skipped += uint64(total)
		return Malformed
	}
	if !unstuffed(id, inst) {
		var ok bool
		if body, ok = unstuff(body); !ok {
			d.skipped += uint64(total)
			return Malformed
		}
	}
	*p = Packet{ID: id, Instruction: inst, Params: body[1:]}
	if inst == InstStatus {
		p.Error, p.Params = body[1], body[2:]
	}
	return Got
}

// seek moves to the next header, or to what may be the beginning of one, and reports
// whether four header bytes are there.
func (d *Decoder) seek() bool {
	for d.r < d.w {
		b := d.buf[d.r:d.w]
		n := min(len(b), headerLen)
		header := [headerLen]byte{0xFF, 0xFF, 0xFD, 0x00}
		i := 0
		for i < n && b[i] == header[i] {
			i++
		}
		if i == n {
			return n == headerLen
		}
		d.skip(1)
	}
	return false
}

func (d *Decoder) skip(n int) {
	d.r += n
	d.skipped += uint64(n)
}
