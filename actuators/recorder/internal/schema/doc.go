// Package schema holds the protobuf messages of a flight recording: those that Foxglove's viewers know by name, and
// mitori's own. Everything in it is generated from the .proto files; package recorder alone fills and reads them.
package schema

//go:generate ../../../../.ci/protoc actuators/recorder/internal/schema foxglove.proto tick.proto
