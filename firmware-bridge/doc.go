// Package bridge is the shelf for everything that links machines: how bytes reach
// servos, ports and operators. It holds no code itself; its subpackages do.
//
//   - dxl: DYNAMIXEL Protocol 2.0, codec and bus master, and the X-series control table.
//   - serialport: the one place that opens serial devices.
//   - mqttlink: state, events and commands over MQTT, and the embedded broker.
//
// What is not here: what a joint is, when a robot may move, or what a motion means.
// Raw counts leave these packages as their own types; radians begin in actuators.
package bridge
