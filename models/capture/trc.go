package capture

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mitori-robotics/mitori/models/human"
	"github.com/mitori-robotics/mitori/models/spatial"
)

// Bounds of tables, against hostile files.
const (
	maxPoints = 2000
	maxFrames = 1 << 20
)

// unitsM are the units of length that files name.
var unitsM = map[string]float64{"mm": 1e-3, "cm": 1e-2, "dm": 0.1, "m": 1, "meters": 1, "metres": 1, "in": 0.0254}

// ReadTRC reads a TRC file, the text table of points that OpenSim, Pose2Sim and Sports2D use: five lines of header, then
// number, time and three coordinates for each point a line. An empty cell is a point that was not seen.
func ReadTRC(in io.Reader) (*Points, error) {
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), 4<<20)
	t := &table{sc: sc}
	p, err := t.head()
	if err != nil {
		return nil, err
	}
	for t.scan() {
		cells := split(t.text)
		if len(cells) == 0 || cells[0] == "" {
			continue
		}
		if len(p.Frames) == maxFrames {
			return nil, fmt.Errorf("trc: more than %d frames", maxFrames)
		}
		row, err := t.row(cells, len(p.Names))
		if err != nil {
			return nil, err
		}
		p.Frames = append(p.Frames, row)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("trc: line %d: %w", t.line+1, err)
	}
	if len(p.Frames) < 2 {
		return nil, fmt.Errorf("trc: %d frames; at least 2 are needed", len(p.Frames))
	}
	if t.frames > 0 && t.frames != len(p.Frames) {
		p.Notes = append(p.Notes, fmt.Sprintf("the header promises %d frames, there are %d", t.frames, len(p.Frames)))
	}
	return p, nil
}

// table walks through the lines.
type table struct {
	sc     *bufio.Scanner
	text   string
	line   int
	frames int // as the header says
}

func (t *table) scan() bool {
	if !t.sc.Scan() {
		return false
	}
	t.line++
	t.text = strings.TrimSuffix(t.sc.Text(), "\r")
	return true
}

// split cuts a line at tabs, between which a cell may be empty, or at spaces where it has none.
func split(line string) []string {
	if !strings.Contains(line, "\t") {
		return strings.Fields(line)
	}
	cells := strings.Split(line, "\t")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// head reads the header.
func (t *table) head() (*Points, error) {
	var lines [5][]string
	for k := range lines {
		if !t.scan() {
			return nil, fmt.Errorf("trc: line %d: the header ends too early: %w", t.line+1, io.ErrUnexpectedEOF)
		}
		lines[k] = split(t.text)
	}
	if len(lines[0]) == 0 || lines[0][0] != "PathFileType" {
		return nil, fmt.Errorf("trc: line 1: not a TRC file: it does not begin with PathFileType")
	}
	value := func(key string) string {
		if i := slices.Index(lines[1], key); i >= 0 && i < len(lines[2]) {
			return lines[2][i]
		}
		return ""
	}
	p := &Points{}
	var err error
	if p.FPS, err = strconv.ParseFloat(value("DataRate"), 64); err != nil || !(p.FPS >= human.MinFPS && p.FPS <= human.MaxFPS) {
		return nil, fmt.Errorf("trc: line 3: DataRate is %.40q; legal: %g to %g", value("DataRate"), human.MinFPS, human.MaxFPS)
	}
	var ok bool
	if p.UnitM, ok = unitsM[strings.ToLower(value("Units"))]; !ok {
		return nil, fmt.Errorf("trc: line 3: Units is %.40q; legal: mm, cm, dm, m, in", value("Units"))
	}
	t.frames, _ = strconv.Atoi(value("NumFrames"))
	if len(lines[3]) < 3 || !strings.HasPrefix(lines[3][0], "Frame") {
		return nil, fmt.Errorf("trc: line 4: %.60q; legal: Frame#, Time and the names of the points", strings.Join(lines[3], " "))
	}
	for _, name := range lines[3][2:] {
		if name != "" {
			p.Names = append(p.Names, name)
		}
	}
	if n := len(p.Names); n == 0 || n > maxPoints {
		return nil, fmt.Errorf("trc: line 4: %d points; legal: 1 to %d", n, maxPoints)
	}
	return p, nil
}

// row reads the coordinates of n points.
func (t *table) row(cells []string, n int) ([]spatial.Vec3, error) {
	row := make([]spatial.Vec3, n)
	if len(cells) < 3 || len(cells) > 3*n+2 && slices.ContainsFunc(cells[3*n+2:], func(c string) bool { return c != "" }) {
		return nil, fmt.Errorf("trc: line %d: %d cells; legal: number, time and 3 for each of %d points", t.line, len(cells), n)
	}
	for i := range row {
		for k := range 3 {
			cell := ""
			if at := 2 + 3*i + k; at < len(cells) {
				cell = cells[at]
			}
			if cell == "" {
				row[i][k] = math.NaN()
				continue
			}
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil || math.IsInf(v, 0) {
				return nil, fmt.Errorf("trc: line %d, %s: %.40q is no number", t.line, t.name(i), cell)
			}
			row[i][k] = v
		}
	}
	return row, nil
}

func (t *table) name(i int) string { return fmt.Sprintf("point %d", i+1) }

// WriteTRC writes the joints of a motion as points: millimetres, y up, the person facing x, as OpenSim has it.
func WriteTRC(w io.Writer, m *human.Motion, name string) error {
	if err := m.Validate(); err != nil {
		return err
	}
	out := &bytes.Buffer{}
	n, joints := len(m.Frames), human.JointNames()
	fps := strconv.FormatFloat(m.FPS, 'g', 9, 64)
	fmt.Fprintf(out, "PathFileType\t4\t(X/Y/Z)\t%s\n", name)
	fmt.Fprintf(out, "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n")
	fmt.Fprintf(out, "%s\t%s\t%d\t%d\tmm\t%s\t1\t%d\n", fps, fps, n, len(joints), fps, n)
	fmt.Fprintf(out, "Frame#\tTime\t%s\n\t", strings.Join(joints, "\t\t\t"))
	for i := range joints {
		fmt.Fprintf(out, "\tX%d\tY%d\tZ%d", i+1, i+1, i+1)
	}
	fmt.Fprint(out, "\n\n")
	for t := range m.Frames {
		fmt.Fprintf(out, "%d\t%.6f", t+1, float64(t)/m.FPS)
		for _, q := range m.Frames[t].Positions {
			fmt.Fprintf(out, "\t%.4f\t%.4f\t%.4f", 1000*q[0], 1000*q[2], -1000*q[1])
		}
		fmt.Fprintln(out)
	}
	_, err := w.Write(out.Bytes())
	return err
}
