package robot

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/servos"
	"github.com/mitori-robotics/mitori/models/strictyaml"
)

// Change is what is to be written of one joint; nil leaves a value as it is.
type Change struct {
	Joint                           string
	Sign, OffsetRad, MinRad, MaxRad *float64
}

// Edition is a robot.yaml and what is to become of it.
type Edition struct {
	Before, After []byte
	File          string // that was read; empty: the robot ships with the program

	model string
	scene []byte
}

// Edit reads the robot.yaml that Load reads for that name or path and puts changes in:
// comments, order and everything else stay. What comes out is as legal as what Load takes.
func Edit(nameOrPath string, changes []Change) (*Edition, error) {
	read, file, source, err := find(nameOrPath)
	if err != nil {
		return nil, err
	}
	e := &Edition{}
	if !strings.HasPrefix(source, builtIn) {
		e.File = source
	}
	if e.Before, err = read(file, maxYAMLBytes); err != nil {
		return nil, fmt.Errorf("robot: %w", err)
	}
	d, model, err := parse(e.Before, servos.Shipped())
	if err != nil {
		return nil, infile.Refuse("robot: "+source, fmt.Errorf("\n%w", err))
	}
	if e.scene, err = read(model, maxSceneBytes); err != nil {
		return nil, fmt.Errorf("robot: %s: model: %w", source, err)
	}
	e.model = model
	edits, err := editsOf(d, changes)
	if err != nil {
		return nil, err
	}
	if e.After, err = strictyaml.Apply(e.Before, edits); err != nil {
		return nil, infile.Refuse("robot: "+source, err)
	}
	if _, _, err := parse(e.After, servos.Shipped()); err != nil {
		return nil, infile.Refuse("robot: "+source+" with the changes", fmt.Errorf("\n%w", err))
	}
	return e, nil
}

func editsOf(d *Description, changes []Change) (edits []strictyaml.Edit, err error) {
	for _, c := range changes {
		i := d.JointIndex(c.Joint)
		if i < 0 {
			return nil, fmt.Errorf("robot: no joint %q; legal: %s", c.Joint, strings.Join(d.JointNames(), ", "))
		}
		put := func(key string, v *float64, decimals int) {
			if v != nil {
				text := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(*v, 'f', decimals, 64), "0"), ".")
				if decimals == 0 {
					text = strconv.FormatFloat(*v, 'f', 0, 64)
				}
				if text == "-0" || text == "" {
					text = "0"
				}
				edits = append(edits, strictyaml.Edit{List: "joints", Index: i, Key: key, Value: text})
			}
		}
		put("sign", c.Sign, 0)
		put("offset_rad", c.OffsetRad, 4)
		put("min_rad", c.MinRad, 3)
		put("max_rad", c.MaxRad, 3)
	}
	return edits, nil
}

// Save publishes what came of the changes as name, complete or not at all. Beside a copy
// in another folder goes the robot's MJCF file, unless one of its name is there; also is
// that file.
func (e *Edition) Save(name string) (also string, err error) {
	scene := filepath.Join(filepath.Dir(name), e.model)
	if _, err := os.Stat(scene); err != nil {
		if err := atomicfile.WriteBytes(scene, e.scene); err != nil {
			return "", err
		}
		also = scene
	}
	return also, atomicfile.WriteBytes(name, e.After)
}

// Diff is the lines that differ, with "- " before what was and "+ " before what is.
func (e *Edition) Diff() (lines []string) {
	a, b := bytes.Split(e.Before, []byte("\n")), bytes.Split(e.After, []byte("\n"))
	// common[i][j] is how many lines a[i:] and b[j:] have in common, in their order.
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := range slices.Backward(a) {
		for j := range slices.Backward(b) {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); bytes.Equal(a[i], b[j]) {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && bytes.Equal(a[i], b[j]):
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			lines = append(lines, "- "+string(a[i]))
			i++
		default:
			lines = append(lines, "+ "+string(b[j]))
			j++
		}
	}
	return lines
}
