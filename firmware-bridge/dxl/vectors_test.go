package dxl

import (
	"encoding/hex"
	"strings"
	"testing"
)

// vector is one packet on the wire and what it means. The table drives decoding,
// encoding and the fuzz seeds.
type vector struct {
	name string
	wire string
	want Packet
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("bad hex %q: %v", s, err)
	}
	return b
}

func status(id ID, errByte byte, params ...byte) Packet {
	return Packet{ID: id, Instruction: InstStatus, Error: errByte, Params: params}
}

func instruction(id ID, inst Instruction, params ...byte) Packet {
	return Packet{ID: id, Instruction: inst, Params: params}
}

// vectors are the worked packets of the ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0".
// Two of them are printed there with a wrong CRC, which the comments name. The last
// ones are ours, computed from the definition.
func vectors() []vector {
	return []vector{
		{"ping 1", "FF FF FD 00 01 03 00 01 19 4E", instruction(1, InstPing)},
		{"ping status", "FF FF FD 00 01 07 00 55 00 06 04 26 65 5D", status(1, 0, 0x06, 0x04, 0x26)},
		{"ping all", "FF FF FD 00 FE 03 00 01 31 42", instruction(Broadcast, InstPing)},
		{"read position", "FF FF FD 00 01 07 00 02 84 00 04 00 1D 15", instruction(1, InstRead, 132, 0, 4, 0)},
		{"read status", "FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0", status(1, 0, 0xA6, 0, 0, 0)},
		{"write goal", "FF FF FD 00 01 09 00 03 74 00 00 02 00 00 CA 89", instruction(1, InstWrite, 116, 0, 0, 2, 0, 0)},
		{"empty status", "FF FF FD 00 01 04 00 55 00 A1 0C", status(1, 0)},
		{"action", "FF FF FD 00 01 03 00 05 02 CE", instruction(1, InstAction)},
		{"reboot", "FF FF FD 00 01 03 00 08 2F 4E", instruction(1, InstReboot)},
		{"factory reset", "FF FF FD 00 01 04 00 06 01 A1 E6", instruction(1, InstFactoryReset, 1)},
		{"clear", "FF FF FD 00 01 08 00 10 01 44 58 4C 22 B1 DC", instruction(1, InstClear, 1, 0x44, 0x58, 0x4C, 0x22)},
		{"backup", "FF FF FD 00 01 08 00 20 01 43 54 52 4C 16 F5", instruction(1, InstBackup, 1, 0x43, 0x54, 0x52, 0x4C)},
		// Printed as 92 F5.
		{"restore", "FF FF FD 00 01 08 00 20 02 43 54 52 4C 9E F5", instruction(1, InstBackup, 2, 0x43, 0x54, 0x52, 0x4C)},
		{"sync read", "FF FF FD 00 FE 09 00 82 84 00 04 00 01 02 CE FA", instruction(Broadcast, InstSyncRead, 132, 0, 4, 0, 1, 2)},
		{"sync write", "FF FF FD 00 FE 11 00 83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00 82 87",
			instruction(Broadcast, InstSyncWrite, 116, 0, 4, 0, 1, 150, 0, 0, 0, 2, 170, 0, 0, 0)},
		{"fast sync read", "FF FF FD 00 FE 0A 00 8A 84 00 04 00 03 07 04 20 F2",
			instruction(Broadcast, InstFastSyncRead, 132, 0, 4, 0, 3, 7, 4)},
		{"fast sync status", fastStatusWire,
			status(Broadcast, 0, 3, 0xA6, 0, 0, 0, 0x84, 0x08, 0, 7, 0x1F, 8, 0, 0, 0x16, 0xCA, 0, 4, 0xFF, 3, 0, 0)},
		{"bulk read", "FF FF FD 00 FE 0D 00 92 01 90 00 02 00 02 92 00 01 00 1A 05",
			instruction(Broadcast, InstBulkRead, 1, 144, 0, 2, 0, 2, 146, 0, 1, 0)},
		{"bulk write", "FF FF FD 00 FE 10 00 93 01 20 00 02 00 A0 00 02 1F 00 01 00 50 B7 68",
			instruction(Broadcast, InstBulkWrite, 1, 32, 0, 2, 0, 160, 0, 2, 31, 0, 1, 0, 80)},
		// Printed as 20 F2.
		{"fast bulk read", "FF FF FD 00 FE 12 00 9A 03 84 00 04 00 07 7C 00 02 00 04 92 00 01 00 DA 2D",
			instruction(Broadcast, InstFastBulkRead, 3, 132, 0, 4, 0, 7, 124, 0, 2, 0, 4, 146, 0, 1, 0)},
		{"stuffed write", "FF FF FD 00 01 0A 00 03 E0 00 FF FF FD FD 01 67 7A",
			instruction(1, InstWrite, 224, 0, 0xFF, 0xFF, 0xFD, 1)},
		// Current -1, velocity -3: ordinary telemetry that contains a header.
		{"stuffed telemetry", "FF FF FD 00 01 0F 00 55 00 FF FF FD FD FF FF FF 00 08 00 00 49 F0",
			status(1, 0, 0xFF, 0xFF, 0xFD, 0xFF, 0xFF, 0xFF, 0, 8, 0, 0)},
		{"stuffed after three FF", "FF FF FD 00 01 0B 00 03 E0 00 FF FF FF FD FD 01 55 D3",
			instruction(1, InstWrite, 224, 0, 0xFF, 0xFF, 0xFF, 0xFD, 1)},
		{"fast status is not stuffed", "FF FF FD 00 FE 09 00 55 00 03 FF FF FD 00 9C 98", status(Broadcast, 0, 3, 0xFF, 0xFF, 0xFD, 0)},
		{"alert", "FF FF FD 00 01 04 00 55 80 A2 8F", status(1, AlertBit)},
	}
}

// fastStatusWire answers a fast sync read of 4 bytes from 3, 7 and 4 with 166, 2079
// and 1023.
const fastStatusWire = "FF FF FD 00 FE 19 00 55 00 03 A6 00 00 00 84 08 00 07 1F 08 00 00 16 CA 00 04 FF 03 00 00 D1 9E"
