// Package poserecord is the stream of a human motion as it happens: one record for each
// picture that was looked at, as a line of JSON or as a block of bytes of one size
// (docs/formats/live.md).
//
// A whole motion in a file is package human; joints of a robot are what the references
// of robotd hold, and no human poses. What is not here: sockets and files.
//
// All functions are safe for concurrent use.
package poserecord

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Signs are what holds at a picture; a set of bits.
type Signs uint32

// The signs. Settling: the person has not been watched for long enough for a pose.
const (
	Posed       Signs = 1 << iota // the record has a pose
	Settling                      // not watched for long enough for a pose
	PersonLost                    // nobody is seen
	LegsUnseen                    // at least one leg is out of the picture or hidden
	FeetUnseen                    // at least one foot
	ArmsUnseen                    // at least one arm
	CameraMoves                   // the surroundings move
	Doubtful                      // the last seconds are judged doubtful
	Refused                       // the last seconds are not what the person did
	numSigns    = iota
)

var signNames = [numSigns]string{"", "settling", "person lost", "legs not seen", "feet not seen", "arms not seen",
	"camera moves", "doubtful", "refused"}

// Names are the signs in words, Posed left out.
func (s Signs) Names() []string {
	names := []string{}
	for k := 1; k < numSigns; k++ {
		if s&(1<<k) != 0 {
			names = append(names, signNames[k])
		}
	}
	return names
}

// Record is what is known at one picture.
type Record struct {
	// Seq is the number of the picture, from 0; those left out were dropped.
	Seq uint64
	// TimeS is the time of the pose (without one: of the picture) since the source
	// began, seconds.
	TimeS float64
	// AgeS is how long before the writing of the record that was, seconds.
	AgeS float64
	// Signs say what holds; Pose is valid where Posed does.
	Signs Signs
	Pose  human.Pose
}

// The layout of a binary record, little-endian.
const (
	Magic   = "MHPR"
	Version = 1
	// Size is that of every record, in bytes.
	Size = 36 + 4*numValues + 4

	numValues = human.NumJoints*(3+4+1) + human.NumContacts
)

// AppendBinary appends a record's bytes.
func AppendBinary(b []byte, r *Record) []byte {
	le, begin := binary.LittleEndian, len(b)
	b = append(b, Magic...)
	b = le.AppendUint16(b, Version)
	b = le.AppendUint16(b, uint16(Size))
	b = le.AppendUint64(b, r.Seq)
	b = le.AppendUint64(b, math.Float64bits(r.TimeS))
	b = le.AppendUint64(b, math.Float64bits(r.AgeS))
	b = le.AppendUint32(b, uint32(r.Signs))
	put := func(v float64) { b = le.AppendUint32(b, math.Float32bits(float32(v))) }
	for j := range human.NumJoints {
		for _, v := range r.Pose.Positions[j] {
			put(v)
		}
	}
	for j := range human.NumJoints {
		for _, v := range r.Pose.Rotations[j] {
			put(v)
		}
	}
	for _, v := range r.Pose.Confidence {
		put(v)
	}
	for _, v := range r.Pose.Contacts {
		put(v)
	}
	return le.AppendUint32(b, crc32.ChecksumIEEE(b[begin:]))
}

// ReadBinary reads the record at the beginning of b.
func ReadBinary(b []byte) (Record, error) {
	var r Record
	le := binary.LittleEndian
	switch {
	case len(b) < Size:
		return r, fmt.Errorf("poserecord: %d bytes; legal: %d", len(b), Size)
	case string(b[:4]) != Magic || le.Uint16(b[4:]) != Version || le.Uint16(b[6:]) != uint16(Size):
		return r, fmt.Errorf("poserecord: it begins with %q, version %d, size %d; legal: %q, %d, %d",
			b[:4], le.Uint16(b[4:]), le.Uint16(b[6:]), Magic, Version, Size)
	case crc32.ChecksumIEEE(b[:Size-4]) != le.Uint32(b[Size-4:]):
		return r, errors.New("poserecord: the checksum does not fit: bytes were lost or changed")
	}
	r.Seq, r.Signs = le.Uint64(b[8:]), Signs(le.Uint32(b[32:]))
	r.TimeS, r.AgeS = math.Float64frombits(le.Uint64(b[16:])), math.Float64frombits(le.Uint64(b[24:]))
	at := 36
	next := func() float64 {
		v := float64(math.Float32frombits(le.Uint32(b[at:])))
		at += 4
		return v
	}
	for j := range human.NumJoints {
		r.Pose.Positions[j] = spatial.Vec3{next(), next(), next()}
	}
	for j := range human.NumJoints {
		r.Pose.Rotations[j] = spatial.Quat{next(), next(), next(), next()}
	}
	for j := range r.Pose.Confidence {
		r.Pose.Confidence[j] = next()
	}
	for k := range r.Pose.Contacts {
		r.Pose.Contacts[k] = next()
	}
	return r, nil
}

// line is a record as JSON: rounded to a tenth of a millimetre and finer.
type line struct {
	V          int          `json:"v"`
	Seq        uint64       `json:"seq"`
	TimeS      rounded      `json:"time_s"`
	AgeS       rounded      `json:"age_s"`
	Signs      []string     `json:"signs"`
	Positions  [][3]rounded `json:"positions,omitempty"`
	Rotations  [][4]rounded `json:"rotations,omitempty"`
	Confidence []rounded    `json:"confidence,omitempty"`
	Contacts   []rounded    `json:"contacts,omitempty"`
}

type rounded float64

func (r rounded) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(r)*1e5) / 1e5)
}

// AppendJSON appends a record as one line of JSON. Without a pose it has none of the
// pose's keys.
func AppendJSON(b []byte, r *Record) ([]byte, error) {
	l := line{V: Version, Seq: r.Seq, TimeS: rounded(r.TimeS), AgeS: rounded(r.AgeS), Signs: r.Signs.Names()}
	if r.Signs&Posed != 0 {
		for j := range human.NumJoints {
			p, q := r.Pose.Positions[j], r.Pose.Rotations[j]
			l.Positions = append(l.Positions, [3]rounded{rounded(p[0]), rounded(p[1]), rounded(p[2])})
			l.Rotations = append(l.Rotations, [4]rounded{rounded(q[0]), rounded(q[1]), rounded(q[2]), rounded(q[3])})
			l.Confidence = append(l.Confidence, rounded(r.Pose.Confidence[j]))
		}
		for _, c := range r.Pose.Contacts {
			l.Contacts = append(l.Contacts, rounded(c))
		}
	}
	text, err := json.Marshal(l)
	if err != nil {
		return b, fmt.Errorf("poserecord: %w", err)
	}
	return append(append(b, text...), '\n'), nil
}
