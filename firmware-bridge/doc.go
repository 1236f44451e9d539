// Package bridge is the shelf for everything that links machines: how bytes reach
// servos, ports and operators. It holds no code itself; its subpackages do.
//
//   - dxl: DYNAMIXEL Protocol 2.0, codec and bus master, and the X-series control table.
//   - serialport: the one place that opens serial devices.
//   - mqttlink: state, events and commands over MQTT, and the embedded broker.
//   - secretdir: a private folder for the broker's secrets.
//
// What is not here: what a joint is, when a robot may move, or what a motion means.
// Raw counts leave dxl as types of their own, which know what they are in SI units at the servo's shaft; what they are
// at a joint, with its sign and offset, begins in actuators.
package bridge
