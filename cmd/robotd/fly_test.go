package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/mitori-robotics/mitori/actuators/limits"
	"github.com/mitori-robotics/mitori/actuators/recorder"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

func TestHoldsForTheTimeAndEndsDisarmed(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--for", "4s")
	d.exit(fault.ExitDone, time.Minute)
	s := d.stats()
	if states(s) != "arming hold settle disarmed" || s.EndState != "disarmed" || !s.TorqueOff || s.Fell || s.Cause != "" {
		t.Errorf("states %q, end %s, torque off %v, fell %v, cause %q", states(s), s.EndState, s.TorqueOff, s.Fell, s.Cause)
	}
	if s.RateHz != 100 || s.Servos != 20 || s.Ticks < 400 || s.Guard.NotFinite+s.Guard.Range != 0 {
		t.Errorf("%d Hz, %d servos, %d ticks, guard %+v", s.RateHz, s.Servos, s.Ticks, s.Guard)
	}
	if s.Truth == nil || s.Truth.TorqueOn != 0 {
		t.Errorf("the simulator's view: %+v", s.Truth)
	}
	f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Truncated || int64(len(f.Ticks))+int64(s.Dropped) != s.Ticks || f.Facts["robot_hash"] != s.RobotHash {
		t.Errorf("recording: truncated %v, %d ticks of %d", f.Truncated, len(f.Ticks), s.Ticks)
	}
	desc, _ := robot.Load("kata20")
	b := shape(t, desc)
	settle := limits.SettleRad(desc, b)
	for j, q := range f.Ticks[len(f.Ticks)-1].PosRad {
		if math.Abs(q-settle[j]) > 0.05 {
			t.Errorf("joint %d ended at %.3f rad, the settle pose is %.3f", j, q, settle[j])
		}
	}
}

func TestCtrlCSettles(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim")
	d.says("arming -> hold")
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitDone, 20*time.Second)
	if s := d.stats(); s.EndState != "disarmed" || !s.TorqueOff || states(s) != "arming hold settle disarmed" {
		t.Errorf("%s, torque off %v, states %q", s.EndState, s.TorqueOff, states(s))
	}
}

// A loop that stood still for longer than the servos' watchdog takes them up
// again: they must not stand there while it believes that they move.
func TestGoesOnAfterAStall(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim")
	d.says("arming -> hold")
	stalled := d.loop()
	send(t, stalled, syscall.SIGSTOP)
	time.Sleep(400 * time.Millisecond) // the stall: twice as long as the servos' patience
	send(t, stalled, syscall.SIGCONT)
	d.recorded("ticking again", func(ticks []*recorder.Tick) bool {
		late := slices.IndexFunc(ticks, func(k *recorder.Tick) bool { return k.Skipped >= 20 })
		return late >= 0 && len(ticks) > late+10
	})
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitDone, 20*time.Second)
	s := d.stats()
	if s.Stops < 1 || states(s) != "arming hold settle disarmed" {
		t.Errorf("servos taken up %d times, states %q", s.Stops, states(s))
	}
	f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
	if err != nil {
		t.Fatal(err)
	}
	desc, _ := robot.Load("kata20")
	b := shape(t, desc)
	settle := limits.SettleRad(desc, b)
	for j, q := range f.Ticks[len(f.Ticks)-1].PosRad {
		if math.Abs(q-settle[j]) > 0.05 {
			t.Errorf("joint %d ended at %.3f rad, the settle pose is %.3f: it did not follow any more", j, q, settle[j])
		}
	}
}

func TestSecondCtrlCCutsTorque(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim")
	d.says("arming -> hold")
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	d.says("hold -> settle")
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitFailed, 20*time.Second)
	if s := d.stats(); s.EndState != "fault" || !s.TorqueOff || s.Cause != "request estop" {
		t.Errorf("%s, torque off %v, cause %q", s.EndState, s.TorqueOff, s.Cause)
	}
}

func TestSimulatorKilled(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--for", "30s")
	d.says("arming -> hold")
	pid, err := strconv.Atoi(regexp.MustCompile(`simulator: process (\d+)`).FindStringSubmatch(d.out.String())[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitFailed, 20*time.Second)
	s := d.stats()
	if s.EndState != "fault" || s.Cause != "link-lost" || s.TorqueOff || s.TorqueNote == "" {
		t.Errorf("%s because of %q, torque off %v (%s)", s.EndState, s.Cause, s.TorqueOff, s.TorqueNote)
	}
	if f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap")); err != nil || !strings.HasPrefix(f.Log[len(f.Log)-2].Text, "hold -> cut: link-lost (servo 1 (l_hip_yaw) did not answer") {
		t.Errorf("recording: %v, %+v", err, f.Log)
	}
}

// operator connects to the embedded broker with the credentials that robotd
// wrote, and sends commands.
type operator struct {
	t      *testing.T
	client mqtt.Client
	robot  string
	acks   chan mqttlink.Ack
	seq    uint64
}

func (d *daemon) operator() *operator {
	d.t.Helper()
	d.says("credentials in ")
	file := regexp.MustCompile(`credentials in (\S+)`).FindStringSubmatch(d.out.String())[1]
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		d.t.Fatalf("%s: %v, mode %v; want 0600", file, err, info.Mode().Perm())
	}
	a, err := mqttlink.ReadAccess(file)
	if err != nil {
		d.t.Fatal(err)
	}
	o := &operator{t: d.t, robot: a.Robot, acks: make(chan mqttlink.Ack, 16)}
	o.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(a.URL).SetClientID("tester").
		SetUsername(a.Operator.Username).SetPassword(a.Operator.Password))
	o.wait(o.client.Connect())
	d.t.Cleanup(func() { o.client.Disconnect(0) })
	o.wait(o.client.Subscribe("fleet/"+a.Robot+"/ack", 1, func(_ mqtt.Client, m mqtt.Message) {
		var ack mqttlink.Ack
		if json.Unmarshal(m.Payload(), &ack) == nil {
			o.acks <- ack
		}
	}))
	return o
}

func (o *operator) wait(t mqtt.Token) {
	o.t.Helper()
	if !t.WaitTimeout(10*time.Second) || t.Error() != nil {
		o.t.Fatalf("mqtt: %v", t.Error())
	}
}

// send publishes a command and returns its answer.
func (o *operator) send(verb string) mqttlink.Ack {
	o.t.Helper()
	for range 5 { // a command to a robot that has not connected yet is lost
		if ack, ok := o.try(verb); ok {
			return ack
		}
	}
	o.t.Fatalf("no answer to %s", verb)
	return mqttlink.Ack{}
}

func (o *operator) try(verb string) (mqttlink.Ack, bool) {
	o.t.Helper()
	o.seq++
	b, err := mqttlink.EncodeCommand(mqttlink.Command{Robot: o.robot, Issuer: "tester", Seq: o.seq, IssuedAt: time.Now(), TTL: 5 * time.Second, Verb: verb})
	if err != nil {
		o.t.Fatal(err)
	}
	o.wait(o.client.Publish("fleet/"+o.robot+"/cmd", 1, false, b))
	select {
	case ack := <-o.acks:
		return ack, true
	case <-time.After(3 * time.Second):
		return mqttlink.Ack{}, false
	}
}

func TestEStopOverMQTT(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--mqtt", "embedded", "--for", "30s")
	o := d.operator()
	d.says("arming -> hold")
	if ack := o.send("start"); ack.Accepted || ack.Reason != "no policy is loaded" {
		t.Errorf("start without a policy: %+v", ack)
	}
	if ack := o.send("estop"); !ack.Accepted {
		t.Errorf("e-stop refused: %+v", ack)
	}
	d.exit(fault.ExitFailed, 20*time.Second)
	s := d.stats()
	if s.EndState != "fault" || !s.TorqueOff || s.Cause != "request estop" || s.Truth.TorqueOn != 0 {
		t.Errorf("%s because of %q, torque off %v, servos with torque %d", s.EndState, s.Cause, s.TorqueOff, s.Truth.TorqueOn)
	}
}

// Without --arm an operator has the say: arm, stop, reset, arm again.
func TestOperatorArmsAndResets(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--mqtt", "embedded", "--arm=false")
	o := d.operator()
	d.flying("disarmed")
	if ack := o.send("hold"); ack.Accepted || ack.Reason != "not holding a pose" {
		t.Errorf("hold while disarmed: %+v", ack)
	}
	arm := func() {
		t.Helper()
		for range 100 { // the checks need a round of slow registers first
			if ack := o.send("arm"); ack.Accepted {
				return
			} else if !strings.HasPrefix(ack.Reason, "arming checks fail: ") {
				t.Fatalf("arm: %+v", ack)
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatal("never armed")
	}
	arm()
	d.says("arming -> hold")
	o.send("disarm")
	d.says("settle -> disarmed")
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitDone, 20*time.Second)
}

func TestFall(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--for", "8s", "--sim-arg=--tilt-at=4s")
	d.exit(fault.ExitFailed, time.Minute)
	// On a busy host it is still arming when it is tilted.
	if s := d.stats(); !s.Fell || s.Cause != "falling" || s.EndState != "fault" || !s.TorqueOff || !strings.HasPrefix(states(s), "arming ") ||
		!strings.HasSuffix(states(s), " limp fault") {
		t.Errorf("fell %v because of %q, %s, torque off %v, states %q", s.Fell, s.Cause, s.EndState, s.TorqueOff, states(s))
	}
}

func TestPolicyPlaysAndCtrlCLetsItFinish(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--policy", playback(t, 2, nil), "--hold", "500ms")
	d.says("active -> hold")
	d.says("hold -> active: request activate")
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	d.exit(fault.ExitDone, 20*time.Second)
	s := d.stats()
	// On a busy host a decision now and then ends after its tick, which counts as a fault.
	if s.Plays < 1 || s.EndState != "disarmed" || !s.TorqueOff || s.PolicyBad > s.MissedTicks+1 || s.Guard != (record.GuardCounts{}) || s.PolicyHash == "" {
		t.Errorf("%d plays, %s, torque off %v, policy faults %d, guard %+v", s.Plays, s.EndState, s.TorqueOff, s.PolicyBad, s.Guard)
	}
	f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
	if err != nil {
		t.Fatal(err)
	}
	// Files are passed on: no path of this machine is in them.
	text, err := os.ReadFile(filepath.Join(d.dir, "stats.json"))
	if err != nil || bytes.Contains(text, []byte(os.TempDir())) || s.Recording != "flight.mcap" || s.Policy != "playback.bundle" {
		t.Errorf("stats.json (%v) holds a path:\n%s", err, text)
	}
	for k, v := range f.Facts {
		if strings.Contains(v, os.TempDir()) {
			t.Errorf("the recording says where it was made: %s is %s", k, v)
		}
	}
	desc, _ := robot.Load("kata20")
	j, top := desc.JointIndex("l_shoulder_roll"), 0.0
	for _, tick := range f.Ticks {
		if tick.Mode == "active" {
			top = max(top, tick.PosRad[j])
		}
	}
	// Servos need time to follow: on a host that skips one tick in twenty, how far they get says nothing.
	if busy := s.MissedTicks*20 > s.Ticks; top < 1 && !busy {
		t.Errorf("the arm rose to %.2f rad, the clip to 1.15", top)
	} else if busy {
		t.Logf("%d of %d ticks were missed: the arm's path is not judged", s.MissedTicks, s.Ticks)
	}
}

// Stop over MQTT: within a second the motion is over, the robot stands in hold, the
// phase rises no more, and the mission begins nothing by itself.
func TestStopOverMQTT(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--mqtt", "embedded", "--policy", playback(t, 8, nil), "--hold", "500ms", "--for", "14s")
	o := d.operator()
	d.says("hold -> active: request activate")
	time.Sleep(time.Second)
	if ack := o.send("stop"); !ack.Accepted || ack.Did != "hold: request stop" {
		t.Fatalf("stop: %+v", ack)
	}
	d.exit(fault.ExitDone, time.Minute)
	f, err := recorder.Open(filepath.Join(d.dir, "flight.mcap"))
	if err != nil {
		t.Fatal(err)
	}
	var asked, over int64
	last := 0.0
	for _, tick := range f.Ticks {
		switch {
		case tick.Why == "request stop":
			asked = tick.MonoNs
		case asked == 0 || tick.Mode != "hold":
		case tick.Playing:
			over = tick.MonoNs
		default:
			if last != 0 && tick.Phase != last {
				t.Fatalf("the phase goes from %g to %g while the robot stands", last, tick.Phase)
			}
			last = tick.Phase
		}
	}
	// A host that skips ticks skips decisions, and the motion waits for them.
	if took := time.Duration(over - asked); asked == 0 || took > time.Second && d.stats().MissedTicks < 10 {
		t.Errorf("stopped at %d ns, over after %v", asked, took)
	}
	if s := d.stats(); s.Plays != 1 || s.Fell {
		t.Errorf("%d plays, fell %v", s.Plays, s.Fell)
	}
}

func TestArmingRefused(t *testing.T) {
	d := launch(t, "--robot", "kata20", "--sim", "--for", "2s", "--sim-arg=--fault=heat:id=3,v=65")
	d.exit(fault.ExitRefused, time.Minute)
	if s := d.stats(); !strings.Contains(d.out.String(), "temperatures: servo 3 (l_hip_pitch) is at 65 C, limit 60 C") || s.Armed != 0 || s.EndState != "disarmed" || !s.TorqueOff {
		t.Errorf("armed %d times, %s", s.Armed, s.EndState)
	}
}
