package dxl_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// The ping of servo 1, and the packet found again in a noisy line.
func ExampleDecoder() {
	wire := dxl.Append([]byte{0x00, 0xff}, &dxl.Packet{ID: 1, Instruction: dxl.InstPing})
	fmt.Printf("% x\n", wire[2:])
	d := dxl.NewDecoder(64)
	d.Feed(wire)
	var p dxl.Packet
	for d.Next(&p) != dxl.Got {
	}
	fmt.Println(p.ID, p.Instruction == dxl.InstPing, d.Skipped(), "bytes of noise")
	// Output:
	// ff ff fd 00 01 03 00 01 19 4e
	// 1 true 2 bytes of noise
}
