package recorder

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/guard"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/spatial"
)

func header() Header {
	return Header{Joints: []string{"hip", "knee", "ankle"}, RateHz: 100, Facts: map[string]string{"robot_hash": "abc", "policy": "wave"}}
}

func sample(i int) *trace.Sample {
	rng := rand.New(rand.NewPCG(uint64(i), 1))
	s := &trace.Sample{
		WallNs: 1_700_000_000_000_000_000 + int64(i)*10_000_000, Tick: int64(i), LateNs: int64(i) * 100, BusNs: 1_500_000,
		Mode: mode.Active, From: mode.Active, TiltRad: rng.Float64(), SupplyV: 12, Phase: 0.5,
		Robot: *driver.NewState(3),
	}
	s.MonoNs, s.Playing, s.WindingC = int64(i)*10_000_000, i%2 == 0, []float64{41, 42, 43}
	s.Torque, s.Pace = []float64{1, 0.5, 0.9}, []float64{0.75, 1, 0.5}
	s.Robot.GravityDir = spatial.Vec3{0.1, 0.2, -0.97}
	for range 3 {
		s.WantRad = append(s.WantRad, rng.NormFloat64())
		s.GoalRad = append(s.GoalRad, rng.NormFloat64())
	}
	for j := range 3 {
		s.Robot.Alert[j], s.Robot.TorqueOn[j], s.Robot.Stopped[j] = uint8(i+j), (i+j)%2 == 0, (i+j)%3 == 0
		s.Robot.PosRad[j], s.Robot.Fresh[j], s.Robot.TempC[j] = rng.NormFloat64(), j != 1, 40
		s.Robot.BusV[j] = 0
	}
	decided(s, i)
	return s
}

// decided fills in what recordings have since schema 2; every field, each in some tick.
func decided(s *trace.Sample, i int) {
	s.Conditions, s.Outside = mode.Conditions(i%5), mode.Conditions(i%3)<<mode.LogLost
	s.Asked = trace.Asked{Link: uint8(i%4) << mode.Arm, Program: mode.Request(i % 8)}
	s.Calls = trace.Calls{Read: trace.Answer(i % 4), TakeUp: trace.Answer(i / 2 % 4), TorqueOff: trace.Answer(i / 3 % 4),
		Write: trace.Answer(i / 4 % 4), Prepare: trace.Answer(i / 5 % 4), TorqueOn: trace.Answer(i / 6 % 4)}
	s.SentRad, s.TakeUpRad = []float64{1, float64(i), 3}, []float64{float64(i), 2, 3}
	if i%3 == 0 {
		s.Guard = guard.Report{NotFinite: i, Range: 2, Speed: 3, Accel: 4, LargestRad: 0.1}
		s.Act = trace.Act{Asked: true, Failed: i%2 == 0, Usable: i%4 == 0, Standing: i%5 == 0}
	}
	s.Machine = mode.Machine{Torque: mode.Torque(i % 4), Control: mode.Control(i % 3), Stop: mode.Stop(i % 4),
		Ticks: int64(i), Tries: i, Fit: i%2 == 0, Asked: i%3 == 0, Wait: i, Bad: i%5 == 0}
	s.CatchUp, s.Refused, s.Failing = i%2 == 0, false, mode.Checks(i%7)
	r := &s.Robot
	r.IMUSample, r.Buttons, r.PowerCut = uint16(i*7), uint8(i), i%4 == 0
	r.Transactions, r.Failures, r.Asides, r.AsideFailures = uint64(i*25), uint64(i), uint64(2*i), uint64(i/2)
	for j := range 3 {
		r.AgeS[j], r.SlowAgeS[j] = time.Duration(i*1001+j).Seconds(), time.Duration(i*999_983*(j+1)).Seconds()
	}
	switch i % 4 {
	case 1:
		r.SlowAgeS[1] = math.Inf(1)
	case 2:
		r.AgeS[2] += 1e-12
		r.Unfit = driver.Unfit{Joint: "knee", ID: 7, Setting: "gain", Got: -1, Want: 800}
	}
}

func record(t *testing.T, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	r, err := start("mem.mcap", &out, header())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s := sample(i)
		if i == 50 {
			s.From, s.Mode, s.Why = mode.Active, mode.Settle, mode.Caused(mode.Overheated)
		}
		if i == 60 {
			s.Request, s.Refused, s.Why, s.Failing = mode.Arm, true, mode.ChecksFail, 1<<mode.CheckIMU
		}
		if err := r.Add(s, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	f, err := Read(bytes.NewReader(record(t, 300)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Truncated || len(f.Ticks) != 300 || f.RateHz != 100 || !reflect.DeepEqual(f.Joints, header().Joints) || f.Facts["robot_hash"] != "abc" {
		t.Fatalf("truncated %v, %d ticks, %d Hz, joints %v, facts %v", f.Truncated, len(f.Ticks), f.RateHz, f.Joints, f.Facts)
	}
	for i, got := range f.Ticks {
		if i != 50 && i != 60 {
			if want := tickOf(sample(i)); !reflect.DeepEqual(*got, want) {
				t.Fatalf("tick %d:\n%+v, want\n%+v", i, *got, want)
			}
		}
	}
	if len(f.Log) != 2 || f.Log[0].Text != "active -> settle: overheated" || f.Log[1].Text != "arm refused: arming checks fail: IMU alive" {
		t.Errorf("log %+v", f.Log)
	}
	if f.Log[0].TimeNs != f.Ticks[50].TimeNs {
		t.Errorf("log at %d, tick at %d", f.Log[0].TimeNs, f.Ticks[50].TimeNs)
	}
}

// tickOf says by hand what a sample without a transition must come back as.
func tickOf(s *trace.Sample) Tick {
	t := firstTickOf(s)
	t.MonoNs, t.Playing, t.WindingC = s.MonoNs, s.Playing, s.WindingC
	t.TorqueShare, t.SpeedShare = s.Torque, s.Pace
	t.Alert = []uint32{uint32(s.Robot.Alert[0]), uint32(s.Robot.Alert[1]), uint32(s.Robot.Alert[2])}
	t.TorqueOn, t.Stopped = s.Robot.TorqueOn, s.Robot.Stopped
	if s.Conditions != 0 {
		t.Conditions = s.Conditions.String()
	}
	if s.Outside != 0 {
		t.Outside = s.Outside.String()
	}
	if s.Failing != 0 {
		t.Failing = s.Failing.String()
	}
	t.AskedLink = [...]string{"", "arm", "activate", "arm, activate"}[s.Asked.Link>>mode.Arm]
	if s.Asked.Program != mode.NoRequest {
		t.AskedProgram = s.Asked.Program.String()
	}
	t.Calls, t.Clamp, t.Act, t.Machine, t.CatchUp = s.Calls, s.Guard, s.Act, s.Machine, s.CatchUp
	t.Clamped = int64(s.Guard.NotFinite + s.Guard.Range + s.Guard.Speed + s.Guard.Accel)
	if s.Calls.Write != trace.NotAsked {
		t.SentRad = s.SentRad
	}
	if s.Calls.TakeUp != trace.NotAsked {
		t.TakeUpRad = s.TakeUpRad
	}
	r := &s.Robot
	t.AgeS, t.SlowAgeS, t.IMUSample, t.Buttons, t.PowerCut, t.Unfit = r.AgeS, r.SlowAgeS, r.IMUSample, r.Buttons, r.PowerCut, r.Unfit
	t.Transactions, t.Failures, t.Asides, t.AsideFailures = r.Transactions, r.Failures, r.Asides, r.AsideFailures
	return t
}

// firstTickOf is what the first version recorded of it.
func firstTickOf(s *trace.Sample) Tick {
	r := &s.Robot
	return Tick{
		TimeNs: s.WallNs, Index: s.Tick, LateUs: float64(s.LateNs) / 1000, BusUs: 1500, Mode: "active",
		PosRad: r.PosRad, VelRadS: r.VelRadPerS, CurrentA: r.CurrentA, WantRad: s.WantRad, GoalRad: s.GoalRad, Fresh: r.Fresh,
		TempC: r.TempC, BusV: r.BusV, GyroRadS: r.GyroRadPerS[:], Gravity: r.GravityDir[:], IMUFresh: r.IMUFresh,
		TiltRad: s.TiltRad, SupplyV: s.SupplyV, Phase: s.Phase, TorqueOff: s.TorqueOff,
	}
}

// full is a disk with room for a number of bytes.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.left {
		n := f.left
		f.left = 0
		return n, syscall.ENOSPC
	}
	f.left -= len(b)
	return len(b), nil
}

func TestDiskFull(t *testing.T) {
	r, err := start("/robot/flight.mcap", &full{20000}, header())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; err == nil && i < 5000; i++ {
		err = r.Add(sample(i), "")
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/robot/flight.mcap: the disk is full") {
		t.Errorf("error %v", err)
	}
	if again := r.Add(sample(0), ""); !errors.Is(again, err) {
		t.Errorf("after a full disk: %v", again)
	}
	if _, err := start("x", &full{10}, header()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full from the start: %v", err)
	}
	link := filepath.Join(t.TempDir(), "full.mcap") // never the device itself
	if err := os.Symlink("/dev/full", link); err != nil {
		t.Skip(err)
	}
	if _, err := Create(link, header()); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), link) {
		t.Errorf("/dev/full: %v", err)
	}
	if _, err := os.Lstat(link); err != nil {
		t.Errorf("a device was removed: %v", err)
	}
}

func TestCreateAndOpen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new", "a.mcap")
	r, err := Create(name, header())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := r.Add(sample(i), ""); err != nil {
			t.Fatal(err)
		}
	}
	r.log(sample(10).WallNs, levelInfo, "hello")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(name)
	if err != nil || len(f.Ticks) != 10 || f.Log[0].Text != "hello" {
		t.Errorf("%v, %+v", err, f)
	}
	if _, err := Create(filepath.Join(name, "b.mcap"), header()); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a folder that is a file: %v", err)
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for _, data := range []string{"", "not a recording", "\x89MCAP0\r\n\x01\xff\xff\xff\xff\xff\xff\xff\x7f"} {
		if f, err := Read(strings.NewReader(data)); err == nil && !f.Truncated {
			t.Errorf("%q was taken for a recording", data)
		}
	}
}

// Whatever byte is wrong, the reader gives what came before or an error: it never
// panics, though the MCAP library does on a chunk that lies about its lengths.
func TestDamagedAnywhere(t *testing.T) {
	data := record(t, 20)
	chunk := bytes.Index(data, []byte("zstd")) // the name of the compression ends a chunk's header
	if chunk < 0 {
		t.Fatal("the recording has no compressed chunk")
	}
	rng := rand.New(rand.NewPCG(2, 1))
	for i := range 500 {
		at := chunk - 48 + i
		if i >= 100 {
			at = rng.IntN(len(data))
		}
		for _, v := range []byte{0, 0xff, data[at] ^ 0x40} {
			bad := bytes.Clone(data)
			bad[at] = v
			if f, err := Read(bytes.NewReader(bad)); err == nil && len(f.Ticks) > 20 {
				t.Fatalf("byte %d set to %#x: %d ticks of 20", at, v, len(f.Ticks))
			}
		}
	}
}

func TestValuesSurvive(t *testing.T) {
	in := &schema.Tick{
		Timestamp: &timestamppb.Timestamp{Nanos: 5}, Index: -3, LateUs: math.Inf(1),
		PosRad: []float64{math.Pi, math.Copysign(0, -1)}, Fresh: []bool{true, false}, Mode: "hold", TorqueOff: true,
	}
	b, err := proto.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := decodeTick(b)
	if err != nil || out.TimeNs != 5 || out.Index != -3 || !math.IsInf(out.LateUs, 1) || !reflect.DeepEqual(out.PosRad, in.PosRad) ||
		!math.Signbit(out.PosRad[1]) || !out.Fresh[0] || out.Fresh[1] || !out.TorqueOff {
		t.Errorf("%+v, %v", out, err)
	}
}

// A name or a note in some other encoding costs its strange letters, not the recording.
func TestTextOfAnyEncoding(t *testing.T) {
	var out bytes.Buffer
	r, err := start("mem.mcap", &out, Header{Joints: []string{"knie\xe9", "b", "c"}, RateHz: 100})
	if err != nil {
		t.Fatal(err)
	}
	r.log(1, levelInfo, "d\xe9j\xe0 vu")
	if err := errors.Join(r.Add(sample(0), ""), r.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := Read(&out)
	if err != nil || len(f.Ticks) != 1 || len(f.Log) != 1 || f.Log[0].Text != "d?j? vu" {
		t.Errorf("%+v, %v", f, err)
	}
}

// The recorder runs beside the loop on the same processor: a tick costs it no memory, whatever MCAP's
// chunks need now and then.
func TestAddDoesNotAllocate(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties the pools of libraries now and then")
	}
	r, err := start("mem.mcap", io.Discard, header())
	if err != nil {
		t.Fatal(err)
	}
	s := sample(1)
	if n := testing.AllocsPerRun(2000, func() { s.MonoNs += 10_000_000; _ = r.Add(s, "") }); n > 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	r, err := start("mem.mcap", io.Discard, header())
	if err != nil {
		b.Fatal(err)
	}
	s := sample(1)
	b.ReportAllocs()
	for b.Loop() {
		s.MonoNs += 10_000_000
		_ = r.Add(s, "")
	}
}

func FuzzRead(f *testing.F) {
	var out bytes.Buffer
	r, err := start("mem.mcap", &out, header())
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		_ = r.Add(sample(i), "")
	}
	_ = r.Close()
	f.Add(out.Bytes())
	f.Add([]byte("\x89MCAP0\r\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Read(bytes.NewReader(b)) })
}

// What a file will have when it is closed is known beforehand, and not much less is true.
func TestSizeIsAnUpperBound(t *testing.T) {
	for _, n := range []int{0, 10, 1000, 30000} {
		var out bytes.Buffer
		r, err := start("mem.mcap", &out, header())
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := r.Add(sample(i), ""); err != nil {
				t.Fatal(err)
			}
		}
		told := r.Size()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		is := int64(out.Len())
		if is > told || told > is+is/20+r.pending+summaryBytes {
			t.Errorf("%d ticks: %d bytes, told %d", n, is, told)
		}
	}
}

// Facts are read from whole files and from those of a killed robotd, and not from others.
func TestFactsWithoutTheFlight(t *testing.T) {
	dir := t.TempDir()
	data := record(t, 100)
	for name, c := range map[string]struct {
		text []byte
		ours bool
	}{"whole": {data, true}, "cut": {data[:600], true}, "none": {nil, false}, "text": {[]byte("a text of no interest"), false}, "magic": {data[:8], false}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.text, 0o644); err != nil {
			t.Fatal(err)
		}
		facts, err := Facts(path)
		if (err == nil) != c.ours || c.ours && facts["robot_hash"] != "abc" {
			t.Errorf("%s: %v, %v", name, facts, err)
		}
	}
}
