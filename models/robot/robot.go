// Package robot loads robot descriptions: robot.yaml (joints in canonical order
// with limits, servos, signs and offsets; battery; buses) and the MJCF scene
// beside it.
//
// The order of Joints is the order of every joint vector in files and code.
// Signs and offsets of servos live here and nowhere else. A Description is
// read-only after load and may be shared. Kinematics are in models/kin, physics
// in sim.
package robot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/mjcf"
	"github.com/mitori-robotics/mitori/models/robots"
	"github.com/mitori-robotics/mitori/models/servos"
)

// Description is one robot.
type Description struct {
	Name          string
	RootBody      string // MJCF body with the free joint
	StandKeyframe string // MJCF keyframe where every motion starts and ends
	PolicyRateHz  float64
	LoopRateHz    float64
	Battery       Battery
	Buses         []Bus
	IMU           IMU
	ServoTypes    map[string]ServoType
	Joints        []Joint
	MJCF          string // text of the scene
	Hash          string // SHA-256 over robot.yaml and the scene, hex
	Source        string // where it was loaded from
}

// Joint is one actuated hinge. The keys of its JSON form, in 'mitori robot show', are older than the spelling of units.
type Joint struct {
	Name              string
	MinRad, MaxRad    float64
	SpeedLimitRadPerS float64 `json:"SpeedLimitRadS"` // what commands may ask for, below the servo's no-load speed
	Servo             string  // key of ServoTypes
	Bus               string
	ID                int     // servo id on the bus
	Sign              float64 // +1 or -1: joint angle = Sign * servo angle + OffsetRad
	OffsetRad         float64
}

// ServoType is one type of servo as this robot runs it: the catalogue's entry, and
// what follows from it at the robot's nominal voltage and gain. What robot.yaml
// leaves out comes from the catalogue.
type ServoType struct {
	ModelNumber        int
	CountsPerTurn      int
	StallTorqueNm      float64
	NoLoadSpeedRadPerS float64 `json:"NoLoadSpeedRadS"`
	PositionPGain      int
	StiffnessNmPerRad  float64 `json:"StiffnessNmRad"`
	DampingNmSPerRad   float64 `json:"DampingNmsRad"`
	MaxTempC           float64
	Entry              servos.Type // of the catalogue
}

// StallCurrentA is the current at StallTorqueNm.
func (s ServoType) StallCurrentA() float64 { return s.StallTorqueNm / s.Entry.NmPerA() }

// Battery holds the supply's limits.
type Battery struct {
	Cells    int     `yaml:"cells"`
	NominalV float64 `yaml:"nominal_v"`
	WarnV    float64 `yaml:"warn_v"`
	StopV    float64 `yaml:"stop_v"`
}

// Bus is one servo bus.
type Bus struct {
	Name     string `yaml:"name"`
	Protocol string `yaml:"protocol"`
	Baud     int    `yaml:"baud"`
}

// IMU is the inertial sensor hub on a servo bus.
type IMU struct {
	Bus  string `yaml:"bus"`
	ID   int    `yaml:"id"`
	Site string `yaml:"site"`
}

// JointNames returns the names in canonical order.
func (d *Description) JointNames() []string {
	s := make([]string, len(d.Joints))
	for i := range d.Joints {
		s[i] = d.Joints[i].Name
	}
	return s
}

// JointIndex returns the canonical index of a joint, or -1.
func (d *Description) JointIndex(name string) int {
	for i := range d.Joints {
		if d.Joints[i].Name == name {
			return i
		}
	}
	return -1
}

// ServoOf returns the servo type of joint i.
func (d *Description) ServoOf(i int) ServoType { return d.ServoTypes[d.Joints[i].Servo] }

// Servos returns the catalogue's entry of every joint's servo, in canonical order.
func (d *Description) Servos() []servos.Type {
	s := make([]servos.Type, len(d.Joints))
	for i := range d.Joints {
		s[i] = d.ServoOf(i).Entry
	}
	return s
}

// JointsOn returns the canonical indices of the joints on that bus, in order.
func (d *Description) JointsOn(bus string) []int {
	var on []int
	for i := range d.Joints {
		if d.Joints[i].Bus == bus {
			on = append(on, i)
		}
	}
	return on
}

// BusNamed returns the bus of that name; every joint's is there.
func (d *Description) BusNamed(name string) Bus {
	for _, b := range d.Buses {
		if b.Name == name {
			return b
		}
	}
	return Bus{}
}

// ErrUnknown is wrapped when a name is no shipped robot and no file.
var ErrUnknown = errors.New("unknown robot")

// Names lists the shipped robots.
func Names() []string {
	var s []string
	entries, _ := fs.ReadDir(robots.FS, ".")
	for _, e := range entries {
		if e.IsDir() {
			s = append(s, e.Name())
		}
	}
	return s
}

// Load returns the robot of that name, or the one described by a robot.yaml
// file or a folder that holds one. Errors name the file, the line and all
// faults at once.
func Load(nameOrPath string) (*Description, error) {
	read, file, source, err := find(nameOrPath)
	if err != nil {
		return nil, err
	}
	return load(read, file, source)
}

// builtIn begins the source of a robot that ships.
const builtIn = "built-in:"

// reader reads a file of a robot's folder, of a size up to limit.
type reader func(file string, limit int64) ([]byte, error)

// find says where a robot is, and how its files are read.
func find(nameOrPath string) (read reader, file, source string, err error) {
	if strings.ContainsAny(nameOrPath, "/.\\") {
		return findPath(nameOrPath)
	}
	if _, err := fs.Stat(robots.FS, path.Join(nameOrPath, "robot.yaml")); err == nil {
		read = func(file string, _ int64) ([]byte, error) { return fs.ReadFile(robots.FS, path.Join(nameOrPath, file)) }
		return read, "robot.yaml", builtIn + nameOrPath, nil
	}
	if st, err := os.Stat(nameOrPath); err == nil && st.IsDir() {
		return findPath(nameOrPath)
	}
	return nil, "", "", fmt.Errorf("robot: %w %q; built in: %s; or give the path of a robot.yaml", ErrUnknown, nameOrPath, strings.Join(Names(), ", "))
}

func findPath(p string) (read reader, file, source string, err error) {
	st, err := os.Stat(p)
	if err != nil {
		return nil, "", "", fmt.Errorf("robot: %w %q: no such file; built in: %s", ErrUnknown, p, strings.Join(Names(), ", "))
	}
	dir, file := filepath.Dir(p), filepath.Base(p)
	if st.IsDir() {
		dir, file = p, "robot.yaml"
	}
	read = func(file string, limit int64) ([]byte, error) { return infile.Read(filepath.Join(dir, file), limit) }
	return read, file, filepath.Join(dir, file), nil
}

// Limits on the size of the files.
const (
	maxYAMLBytes  = 1 << 20
	maxSceneBytes = 16 << 20
)

// load reads a description.
func load(read reader, file, source string) (*Description, error) {
	text, err := read(file, maxYAMLBytes)
	if err != nil {
		return nil, fmt.Errorf("robot: %w", err)
	}
	d, model, err := parse(text, servos.Shipped())
	if err != nil {
		return nil, infile.Refuse("robot: "+source, fmt.Errorf("\n%w", err))
	}
	scene, err := read(model, maxSceneBytes)
	if err != nil {
		return nil, fmt.Errorf("robot: %s: model: %w", source, err)
	}
	// Here, since physics and kinematics both read this text, each in its own way.
	if err := mjcf.CheckBounds(model, scene); err != nil {
		return nil, infile.Refuse("robot: "+source, err)
	}
	d.MJCF, d.Source = string(scene), source
	sum := sha256.Sum256(append(append([]byte{}, text...), scene...))
	d.Hash = hex.EncodeToString(sum[:])
	return d, nil
}
