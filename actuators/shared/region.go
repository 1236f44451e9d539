package shared

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Region is the memory of both processes: a header, a Desk, the latest reference, a ring. Its size follows from
// the number of joints and samples, which both sides know before they look.
type Region struct {
	Desk *Desk
	Ring *trace.Ring // each side has its own on the same memory
	// Latest is the latest live reference; each side has its own.
	Latest *Latest

	file *os.File
	mem  []byte
}

const (
	magic   = 0x5f72_6f62_6f74_645f // "_robotd_"
	version = 2
	// headerBytes has room for eight numbers, six of which are used.
	headerBytes = 64
	deskBytes   = (int(unsafe.Sizeof(Desk{})) + 63) / 64 * 64
)

// ErrForeign: the memory is not what this program shares with itself.
var ErrForeign = errors.New("shared: not a region of this program")

// bytesOf is the size of a region.
func bytesOf(joints, slots int) int { return ringAt(joints) + trace.RingBytes(slots, joints) }

// ringAt is where the ring begins.
func ringAt(joints int) int { return headerBytes + deskBytes + (8*latestWords(joints)+63)/64*64 }

// header is what a region of that size begins with.
func header(joints, slots int) []byte {
	b := make([]byte, 0, headerBytes)
	for _, v := range []uint64{magic, version, uint64(bytesOf(joints, slots)), uint64(deskBytes), uint64(joints), uint64(slots)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b[:headerBytes]
}

// Create makes a region for a robot of that many joints, with room for slots samples. The
// error says what the system did not permit.
func Create(joints, slots int) (*Region, error) {
	if err := check(joints, slots); err != nil {
		return nil, err
	}
	f, err := anonymous(bytesOf(joints, slots))
	if err != nil {
		return nil, fmt.Errorf("shared: memory of %d bytes: %w", bytesOf(joints, slots), err)
	}
	r, err := mapped(f, joints, slots)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	copy(r.mem, header(joints, slots))
	return r, nil
}

// Attach maps the region that another process made for the same robot. What is not
// exactly that is refused with ErrForeign.
func Attach(f *os.File, joints, slots int) (*Region, error) {
	if err := check(joints, slots); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("shared: %w", err)
	}
	if info.Size() != int64(bytesOf(joints, slots)) {
		return nil, fmt.Errorf("%w: %d bytes; legal: %d", ErrForeign, info.Size(), bytesOf(joints, slots))
	}
	if !fixed(f) {
		return nil, fmt.Errorf("%w: its size may change", ErrForeign)
	}
	r, err := mapped(f, joints, slots)
	if err != nil {
		return nil, err
	}
	if want := header(joints, slots); string(r.mem[:headerBytes]) != string(want) {
		got := fmt.Sprintf("%x", r.mem[:headerBytes])
		return nil, errors.Join(fmt.Errorf("%w: header %s; legal: %x", ErrForeign, got, want), r.unmap())
	}
	return r, nil
}

// maxJoints bounds a region, as descriptions do.
const maxJoints = 253

func check(joints, slots int) error {
	if joints < 0 || joints > maxJoints || slots < 1 || slots > trace.MaxSlots {
		return fmt.Errorf("shared: %d joints, %d samples; legal: up to %d joints, 1 to %d samples", joints, slots, maxJoints, trace.MaxSlots)
	}
	return nil
}

// mapped maps f, whose size has been checked.
func mapped(f *os.File, joints, slots int) (*Region, error) {
	mem, err := mapFile(f, bytesOf(joints, slots))
	if err != nil {
		return nil, fmt.Errorf("shared: map: %w", err)
	}
	r := &Region{file: f, mem: mem, Desk: (*Desk)(unsafe.Pointer(&mem[headerBytes]))}
	if r.Latest, err = latestIn(mem[headerBytes+deskBytes:], joints); err != nil {
		return nil, errors.Join(err, r.unmap())
	}
	if r.Ring, err = trace.RingOn(mem[ringAt(joints):], slots, joints); err != nil {
		return nil, errors.Join(err, r.unmap())
	}
	return r, nil
}

// File is what the other process inherits.
func (r *Region) File() *os.File { return r.file }

// Close gives the memory back; Desk and Ring must not be used any more.
func (r *Region) Close() error { return errors.Join(r.unmap(), r.file.Close()) }
