package cli

import (
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/models/body"
	"github.com/mitori-robotics/mitori/models/robot"
)

// RobotFlag adds the flag that names a robot. otherwise says what is taken without
// it; empty where LoadRobot shall refuse.
func RobotFlag(f *pflag.FlagSet, name *string, otherwise string) {
	usage := "robot: a built-in name (" + strings.Join(robot.Names(), ", ") + ") or the path of a robot.yaml"
	if otherwise != "" {
		usage += "; default: " + otherwise
	}
	f.StringVar(name, "robot", "", usage)
}

// LoadRobot loads and binds the robot that RobotFlag named.
func LoadRobot(name string) (*body.Body, error) {
	if name == "" {
		return nil, fault.Usage("--robot is missing; built in: %s; or the path of a robot.yaml", strings.Join(robot.Names(), ", "))
	}
	return body.Load(name)
}

// NotOver refuses an output that is one of the files that are read, under whatever
// name: the result would take its source's place. An output of no name is none.
func NotOver(out string, inputs ...string) error {
	to, _ := os.Stat(out)
	if out == "" || to == nil {
		return nil // it is not there yet, or the writer will say what is wrong
	}
	for _, in := range inputs {
		if from, err := os.Stat(in); err == nil && from.Mode().IsRegular() && os.SameFile(from, to) {
			return fault.Usage("%s is read and would be overwritten; name another file to write", in)
		}
	}
	return nil
}
