package dxl

// fastBlockLen is what one device adds to the answer of a fast read: error, id, data,
// CRC.
func fastBlockLen(size int) int { return size + 4 }

// FastStatusLen is the wire length of the answer of n devices to a fast sync read of
// size bytes each.
func FastStatusLen(n, size int) int { return preambleLen + 1 + n*fastBlockLen(size) }

// AppendFastHeader appends the beginning of the one answer to a fast sync or bulk
// read, up to and including the status instruction: what the first device sends.
// blocks is the number of bytes all devices will add. The devices follow with
// AppendFastBlock.
func AppendFastHeader(dst []byte, blocks int) []byte {
	length := 1 + blocks
	if length > maxWireLen {
		panic("dxl: packet longer than 65535 bytes")
	}
	return append(dst, 0xFF, 0xFF, 0xFD, 0x00, byte(Broadcast), byte(length), byte(length>>8), byte(InstStatus))
}

// AppendFastBlock appends one device's part of the answer that begins at start. Its
// CRC covers everything on the wire from the very first FF, so the last device's CRC
// is the packet's.
func AppendFastBlock(dst []byte, start int, id ID, errByte byte, data []byte) []byte {
	dst = append(dst, errByte, byte(id))
	dst = append(dst, data...)
	crc := CRC(0, dst[start:])
	return append(dst, byte(crc), byte(crc>>8))
}

// DecodeFast takes apart the answer of the devices ids to a fast sync read of size
// bytes each. raw may begin with noise or an echo of the request, and may end early:
// what came before the first damaged or missing device is used. It copies the data of
// device i to data[i*size:], its error byte to errs[i], and returns how many devices,
// in order, were read. found is false if raw holds no such answer at all.
//
// The answer is parsed by length, never by searching for headers: it is not stuffed.
func DecodeFast(raw []byte, ids []ID, size int, data, errs []byte) (n int, found bool) {
	if len(data) < len(ids)*size || len(errs) < len(ids) {
		panic("dxl: DecodeFast: data or errs too short for the ids")
	}
	length := 1 + len(ids)*fastBlockLen(size)
	raw, found = seekFast(raw, length)
	if !found {
		return 0, false
	}
	crc := CRC(0, raw[:preambleLen+1])
	rest := raw[preambleLen+1:]
	for i, id := range ids {
		if len(rest) < fastBlockLen(size) {
			return i, true
		}
		crc = CRC(crc, rest[:2+size])
		lo, hi := rest[2+size], rest[3+size]
		if uint16(lo)|uint16(hi)<<8 != crc || ID(rest[1]) != id {
			return i, true
		}
		errs[i] = rest[0]
		copy(data[i*size:(i+1)*size], rest[2:])
		crc = CRC(crc, rest[2+size:4+size])
		rest = rest[4+size:]
	}
	return len(ids), true
}

// seekFast finds the status header that answers a fast read with the given length
// field.
func seekFast(raw []byte, length int) ([]byte, bool) {
	for i := 0; i+preambleLen < len(raw); i++ {
		b := raw[i:]
		if b[0] == 0xFF && b[1] == 0xFF && b[2] == 0xFD && b[3] == 0x00 && b[4] == byte(Broadcast) &&
			int(b[5])|int(b[6])<<8 == length && b[7] == byte(InstStatus) {
			return b, true
		}
	}
	return nil, false
}
