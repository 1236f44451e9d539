// Package mqttlink is a robot's line to its operators: events and state go out over
// MQTT 3.1.1, commands come in, and every command is answered.
//
// Topics, for the robot called id ([a-z0-9_-], at most 64 characters):
//
//	fleet/<id>/state  robot -> all   QoS 1, retained; the last will says "offline"
//	fleet/<id>/event  robot -> all   QoS 1
//	fleet/<id>/cmd    operator -> robot  QoS 1, never retained
//	fleet/<id>/ref    operator -> robot  QoS 0: live references, where the robot follows them
//	fleet/<id>/ack    robot -> operator  QoS 1: accepted, or refused and why
//
// A command carries who issued it, a sequence number that only grows, when it was
// issued and for how long it is good; docs/formats/mqtt.md has the schema. What is
// late, repeated, retained, too long or not understood is refused with a reason.
// An e-stop is taken even if it is late or repeated: stopping twice harms nobody.
//
// MQTT is for people and fleets, not for control: nothing here may be waited for by a
// control loop, and losing the line must leave the robot with a sensible plan of its
// own (actuators). An e-stop over a network is a convenience, never the only one.
//
// Broker is a NATS server with its MQTT listener, in the same process, on loopback,
// with credentials made for each run. Any other MQTT broker works by its URL. Nothing
// goes out to anybody unless it is configured.
//
// Concurrency: the methods of Link may be called from any goroutine and do not block;
// Run does the work. Handlers are called one at a time.
package mqttlink
