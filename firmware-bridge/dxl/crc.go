package dxl

// crcPolynomial is x^16+x^15+x^2+1: CRC-16/UMTS ("BUYPASS"), initial value 0, no
// reflection, no final xor. Check value of "123456789": 0xFEE8.
const crcPolynomial = 0x8005

// crcTable holds the effect of one byte on the register; it is never written again.
var crcTable = makeCRCTable()

func makeCRCTable() (t [256]uint16) {
	for i := range t {
		r := uint16(i) << 8
		for range 8 {
			if r&0x8000 != 0 {
				r = r<<1 ^ crcPolynomial
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}

// CRC continues the checksum crc over p; start with 0. A packet's CRC covers
// everything from the first 0xFF of its header to its last parameter, stuffing
// included.
func CRC(crc uint16, p []byte) uint16 {
	for _, b := range p {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^b]
	}
	return crc
}
