package dxl

import "fmt"

// ID addresses a device on the bus: 0..252, or Broadcast.
type ID byte

const (
	// MaxID is the largest id a device may carry.
	MaxID ID = 252
	// Broadcast addresses every device.
	Broadcast ID = 0xFE
)

// Instruction is the packet's operation.
type Instruction byte

// The instructions of Protocol 2.0; InstStatus marks an answer.
const (
	InstPing         Instruction = 0x01
	InstRead         Instruction = 0x02
	InstWrite        Instruction = 0x03
	InstRegWrite     Instruction = 0x04
	InstAction       Instruction = 0x05
	InstFactoryReset Instruction = 0x06
	InstReboot       Instruction = 0x08
	InstClear        Instruction = 0x10
	InstBackup       Instruction = 0x20
	InstStatus       Instruction = 0x55
	InstSyncRead     Instruction = 0x82
	InstSyncWrite    Instruction = 0x83
	InstFastSyncRead Instruction = 0x8A
	InstBulkRead     Instruction = 0x92
	InstBulkWrite    Instruction = 0x93
	InstFastBulkRead Instruction = 0x9A
)

// Wire lengths in bytes.
const (
	headerLen         = 4 // FF FF FD 00
	preambleLen       = 7 // header, id, length
	crcLen            = 2
	minInstructionLen = 3      // of the length field: instruction, CRC
	minStatusLen      = 4      // instruction, error, CRC
	maxWireLen        = 0xFFFF // of the length field
)

// Code is the low seven bits of a status packet's error byte.
type Code byte

// The error numbers a device answers with.
const (
	CodeOK          Code = 0
	CodeResultFail  Code = 1
	CodeInstruction Code = 2
	CodeCRC         Code = 3
	CodeDataRange   Code = 4
	CodeDataLength  Code = 5
	CodeDataLimit   Code = 6
	CodeAccess      Code = 7
)

// AlertBit is set in every status of a device whose Hardware Error Status is not 0,
// also in good answers: mask it before comparing codes.
const AlertBit = 0x80

// String says what the code means.
func (c Code) String() string {
	switch c {
	case CodeOK:
		return "ok"
	case CodeResultFail:
		return "result fail"
	case CodeInstruction:
		return "unknown instruction"
	case CodeCRC:
		return "CRC mismatch"
	case CodeDataRange:
		return "data out of range"
	case CodeDataLength:
		return "data too short for the register"
	case CodeDataLimit:
		return "data outside a configured limit"
	case CodeAccess:
		return "access refused: read-only, undefined, or EEPROM while torque is on"
	}
	return fmt.Sprintf("code %d", byte(c))
}

// Packet is one decoded packet. Params are unstuffed.
//
// The single answer to a fast sync or bulk read (a status from Broadcast) is never
// stuffed on the wire; its Params hold everything from the first device's id to the
// last device's data, inner CRCs included. DecodeFast takes such an answer apart.
type Packet struct {
	ID          ID
	Instruction Instruction
	Error       byte // of a status; 0 otherwise
	Params      []byte
}

// Code is the error number of a status, without the alert bit.
func (p *Packet) Code() Code { return Code(p.Error &^ AlertBit) }

// Alert reports whether the device signals a hardware error.
func (p *Packet) Alert() bool { return p.Error&AlertBit != 0 }

// unstuffed reports whether the wire form of such a packet carries no stuffing.
func unstuffed(id ID, inst Instruction) bool { return inst == InstStatus && id == Broadcast }

// Append appends the wire form of p to dst and returns the longer slice. It allocates
// only if dst lacks room. It panics if the packet is longer than the length field can
// say.
func Append(dst []byte, p *Packet) []byte {
	start := len(dst)
	dst = append(dst, 0xFF, 0xFF, 0xFD, 0x00, byte(p.ID), 0, 0, byte(p.Instruction))
	if p.Instruction == InstStatus {
		dst = append(dst, p.Error)
	}
	if unstuffed(p.ID, p.Instruction) {
		dst = append(dst, p.Params...)
	} else {
		run := 0 // how much of FF FF the last bytes make; instruction and error count too
		for _, b := range dst[start+preambleLen:] {
			run = stuffRun(run, b)
		}
		for _, b := range p.Params {
			dst = append(dst, b)
			if run == 2 && b == 0xFD {
				dst = append(dst, 0xFD)
			}
			run = stuffRun(run, b)
		}
	}
	return seal(dst, start)
}

// seal writes the length field of the packet that begins at start and appends its CRC.
func seal(dst []byte, start int) []byte {
	length := len(dst) - start - preambleLen + crcLen
	if length > maxWireLen {
		panic("dxl: packet longer than 65535 bytes")
	}
	dst[start+5], dst[start+6] = byte(length), byte(length>>8)
	crc := CRC(0, dst[start:])
	return append(dst, byte(crc), byte(crc>>8))
}

// stuffRun advances the count of 0xFF in a row, at most 2, by one byte.
func stuffRun(run int, b byte) int {
	if b != 0xFF {
		return 0
	}
	return min(run+1, 2)
}

// unstuff removes stuffing from body in place and returns the shorter slice. ok is
// false if body holds FF FF FD without the stuffing that must follow: no sender may
// put that on the wire.
func unstuff(body []byte) (out []byte, ok bool) {
	w, run := 0, 0
	for r := 0; r < len(body); r++ {
		b := body[r]
		body[w] = b
		w++
		if run == 2 && b == 0xFD {
			if r+1 >= len(body) || body[r+1] != 0xFD {
				return nil, false
			}
			r++
		}
		run = stuffRun(run, b)
	}
	return body[:w], true
}
