package mqttlink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// maxReferenceBytes bounds a message on the topic ref.
	maxReferenceBytes = 16 << 10
	// referencesPerS is how many references are looked at in a second, whoever sends them.
	referencesPerS = 120
)

// Reference is where the joints are to be, see docs/formats/reference.md.
type Reference struct {
	Issuer string
	Seq    uint64    // grows
	TimeUs int64     // by the issuer's clock
	PosRad []float64 // in the order of the description
}

// wireReference is a reference as JSON.
type wireReference struct {
	Version int       `json:"v"`
	Robot   string    `json:"robot"`
	Issuer  string    `json:"issuer"`
	Seq     uint64    `json:"seq"`
	TimeUs  int64     `json:"time_us"`
	PosRad  []float64 `json:"pos_rad"`
}

// EncodeReference is what an operator publishes.
func EncodeReference(robot string, r Reference) ([]byte, error) {
	return json.Marshal(wireReference{1, robot, r.Issuer, r.Seq, r.TimeUs, r.PosRad})
}

// DecodeReference reads a reference for a robot: one JSON object with no other keys.
func DecodeReference(data []byte, robot string) (Reference, error) {
	var w wireReference
	if len(data) > maxReferenceBytes {
		return Reference{}, fmt.Errorf("mqttlink: reference of %d bytes; legal: up to %d", len(data), maxReferenceBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return Reference{}, fmt.Errorf("mqttlink: reference: %w", err)
	}
	_, err := dec.Token()
	switch {
	case !errors.Is(err, io.EOF):
		return Reference{}, errors.New("mqttlink: reference: something follows the JSON object")
	case w.Version != 1:
		return Reference{}, fmt.Errorf("mqttlink: reference: v is %d; legal: 1", w.Version)
	case w.Robot != robot:
		return Reference{}, fmt.Errorf("mqttlink: reference for robot %q; legal: %q", clip(w.Robot), robot)
	case !validName(w.Issuer):
		return Reference{}, fmt.Errorf("mqttlink: reference: issuer %q; legal: 1 to 64 of a-z 0-9 _ -", clip(w.Issuer))
	}
	return Reference{Issuer: w.Issuer, Seq: w.Seq, TimeUs: w.TimeUs, PosRad: w.PosRad}, nil
}

// follow takes in one message on the topic ref. Nothing is answered: they come by the
// hundred, and what is wrong with them OnReference's owner tells.
func (l *Link) follow(payload []byte, retained bool, now time.Time) {
	defer l.caught("a reference")
	if retained || !l.refs.take(now, referencesPerS) {
		return
	}
	r, err := DecodeReference(payload, l.cfg.Robot)
	l.cfg.OnReference(r, err)
}
