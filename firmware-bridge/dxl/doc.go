// Package dxl speaks DYNAMIXEL Protocol 2.0: the packet codec, the control table of
// the X series as typed registers, and the master side of a half-duplex servo bus.
//
// Three layers, each usable alone:
//
//   - Packet, Append and Decoder turn packets into bytes and back. The decoder is
//     incremental and finds the next packet after noise.
//   - Reg and the count types name registers with address, width and unit, so that a
//     velocity cannot be written into a position.
//   - Bus does transactions over a Port: ping, scan, read, write, sync read and write,
//     fast sync read. SyncReader and SyncWriter are its real-time forms: all memory is
//     allocated when they are made, none when they run.
//
// Failures keep two things apart that need different answers: ErrLinkLost (nobody
// answered, or the port is gone) and ErrBadData (something answered, and it was
// damaged or was not what was asked). A servo that answers and refuses gives a
// *StatusError.
//
// What is not here: opening devices (serialport), joints, signs and offsets
// (actuators), and the slave side of the protocol (sim/busemu).
//
// Concurrency: a Bus and everything made from it belong to one goroutine. Packets
// returned by a Decoder point into its buffer and live until its next call.
//
// Source: ROBOTIS e-Manual, "DYNAMIXEL Protocol 2.0" and "XM430-W350",
// https://emanual.robotis.com/docs/en/dxl/protocol2/. Where a worked packet printed
// there carries a wrong CRC, the tests say so.
package dxl
