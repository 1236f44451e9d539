package metrics

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/driver"
	"github.com/mitori-robotics/mitori/actuators/mode"
	"github.com/mitori-robotics/mitori/actuators/trace"
	"github.com/mitori-robotics/mitori/models/robot"
)

var (
	comment = regexp.MustCompile(`^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$`)
	series  = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)+)\})? (\S+)$`)
)

// parse reads the text format as its specification has it, and returns the values by name and labels.
func parse(t *testing.T, text string) map[string]float64 {
	t.Helper()
	out, kinds := map[string]float64{}, map[string]string{}
	helped, name := map[string]bool{}, ""
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line has no end")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if c := comment.FindStringSubmatch(line); c != nil {
			if c[1] == "HELP" {
				if helped[c[2]] {
					t.Errorf("%s is explained twice", c[2])
				}
				helped[c[2]] = true
			} else if kinds[c[2]] = c[3]; c[3] != "gauge" && c[3] != "counter" && c[3] != "histogram" {
				t.Errorf("%s", line)
			}
			name = c[2]
			continue
		}
		s := series.FindStringSubmatch(line)
		if s == nil {
			t.Errorf("no value: %q", line)
			continue
		}
		family := s[1]
		if kinds[name] == "histogram" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				family = strings.TrimSuffix(family, suffix)
			}
		}
		if family != name || !helped[name] || kinds[name] == "" {
			t.Errorf("%q stands in the group of %s", line, name)
		}
		if (kinds[name] == "counter") != strings.HasSuffix(s[1], "_total") {
			t.Errorf("%q is a %s", line, kinds[name])
		}
		v, err := strconv.ParseFloat(s[4], 64)
		if _, twice := out[s[1]+s[2]]; err != nil || twice || math.IsNaN(v) {
			t.Errorf("%q: %v, twice %v", line, err, twice)
		}
		out[s[1]+s[2]] = v
	}
	return out
}

func joints() []robot.Joint {
	return []robot.Joint{{Name: "hip", ID: 3}, {Name: `k"n\e` + "\n" + "e", ID: 4}}
}

func sample(i int) *trace.Sample {
	s := &trace.Sample{MonoNs: int64(i) * 1e7, Tick: int64(i), Mode: mode.Hold, From: mode.Hold, Robot: *driver.NewState(2),
		WantRad: make([]float64, 2), GoalRad: make([]float64, 2), WindingC: []float64{math.NaN(), 51}}
	s.LateNs, s.BusNs = 60_000, 3_000_000
	return s
}

// What the samples say is what readers get, whatever names joints have; what was never read is not made up.
func TestThePage(t *testing.T) {
	m := New("ka\"ta", "v1", joints(), func() uint64 { return 7 })
	parse(t, m.Text())
	for i := range 100 {
		s := sample(i)
		s.Guard.Speed, s.Guard.NotFinite = 2, 1
		switch i {
		case 20:
			s.From, s.Mode, s.Why = mode.Disarmed, mode.Arming, mode.Requested(mode.Arm)
		case 50:
			s.Skipped, s.LateNs = 12, 130_000_000
		case 99:
			s.From, s.Mode, s.Why = mode.Hold, mode.Settle, mode.Caused(mode.Overheated)
			s.Conditions.Set(mode.Overheated, true)
			s.Robot.TempC[0], s.Robot.CurrentA[1], s.Robot.AgeS[1], s.SupplyV = 71, -0.5, 0.004, 11.9
			s.Robot.Transactions, s.Robot.Failures = 5000, 17
		}
		m.Take(s)
	}
	got := parse(t, m.Text())
	strange := `joint="k\"n\\e\ne",id="4"`
	for name, want := range map[string]float64{
		`robotd_info{robot="ka\"ta",version="v1"}`: 1, "robotd_ticks_total": 100, "robotd_missed_ticks_total": 12,
		"robotd_recorder_lost_ticks_total": 7, "robotd_armed_total": 1,
		`robotd_guard_changes_total{kind="speed"}`: 200, `robotd_guard_changes_total{kind="not_finite"}`: 100, `robotd_guard_changes_total{kind="range"}`: 0,
		`robotd_failsafes_total{condition="overheated"}`: 1, `robotd_failsafes_total{condition="falling"}`: 0,
		`robotd_condition{condition="overheated"}`: 1, `robotd_condition{condition="warm"}`: 0,
		`robotd_state{state="settle"}`: 1, `robotd_state{state="hold"}`: 0, "robotd_torque_off": 0,
		"robotd_supply_volts": 11.9, "robotd_bus_exchanges_total": 5000, "robotd_bus_errors_total": 17,
		`robotd_joint_temperature_celsius{joint="hip",id="3"}`: 71, "robotd_joint_winding_celsius{" + strange + "}": 51,
		"robotd_joint_current_amperes{" + strange + "}": -0.5, "robotd_joint_age_seconds{" + strange + "}": 0.004,
		`robotd_tick_lateness_seconds_bucket{le="5e-05"}`: 0, `robotd_tick_lateness_seconds_bucket{le="0.0001"}`: 99,
		`robotd_tick_lateness_seconds_bucket{le="0.1"}`: 99, `robotd_tick_lateness_seconds_bucket{le="1"}`: 100,
		`robotd_tick_lateness_seconds_bucket{le="+Inf"}`: 100, "robotd_tick_lateness_seconds_count": 100,
		`robotd_bus_read_seconds_bucket{le="0.005"}`: 100, "robotd_bus_read_seconds_sum": 0.3,
	} {
		if v, ok := got[name]; !ok || math.Abs(v-want) > 1e-12 {
			t.Errorf("%s is %g (there: %v), want %g", name, v, ok, want)
		}
	}
	for _, unread := range []string{"robotd_joint_temperature_celsius{" + strange + "}", `robotd_joint_winding_celsius{joint="hip",id="3"}`, `robotd_joint_age_seconds{joint="hip",id="3"}`} {
		if v, ok := got[unread]; ok {
			t.Errorf("%s is %g, and was never read", unread, v)
		}
	}
	if age := got["robotd_last_tick_age_seconds"]; age < 0 || age > 60 {
		t.Errorf("the latest tick is %g s old", age)
	}
}

// Every state and every condition has its series, so that none is missed by whoever watches for it.
func TestNoConditionIsMissing(t *testing.T) {
	m := New("a", "", joints(), func() uint64 { return 0 })
	m.Take(sample(0))
	got := parse(t, m.Text())
	for c := range mode.AllConditions() {
		for _, name := range []string{"robotd_condition", "robotd_failsafes_total"} {
			if _, ok := got[fmt.Sprintf("%s{condition=%q}", name, c)]; !ok {
				t.Errorf("no %s of %v", name, c)
			}
		}
	}
	if n := strings.Count(m.Text(), "robotd_state{"); n != int(mode.Fault)+1 {
		t.Errorf("%d states", n)
	}
}

// Whoever watches the loop is not held up by garbage, nor by readers.
func TestTakeAllocatesNothing(t *testing.T) {
	m := New("a", "", joints(), func() uint64 { return 0 })
	s := sample(1)
	m.Take(s)
	var readers sync.WaitGroup
	quit := make(chan struct{})
	readers.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
				m.Text()
			}
		}
	})
	for range 10000 {
		m.Take(s)
	}
	close(quit)
	readers.Wait()
	if n := testing.AllocsPerRun(100, func() { m.Take(s) }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// Only places that nobody else can reach are places.
func TestPlaces(t *testing.T) {
	for text, want := range map[string]Place{
		"unix:/run/robotd/metrics.sock": {"unix", "/run/robotd/metrics.sock"}, "127.0.0.1:9100": {"tcp", "127.0.0.1:9100"},
		"127.8.7.6:80": {"tcp", "127.8.7.6:80"}, "[::1]:9100": {"tcp", "[::1]:9100"}, "localhost:9100": {"tcp", "127.0.0.1:9100"},
		"127.0.0.1:0": {"tcp", "127.0.0.1:0"},
		"":            {}, ":9100": {}, "0.0.0.0:9100": {}, "[::]:9100": {}, "192.168.1.7:9100": {}, "robot:9100": {}, "127.0.0.1": {}, "127.0.0.1:99999": {},
		"127.0.0.1:http": {}, "unix:": {}, "unix:metrics.sock": {}, "unix:/" + strings.Repeat("a", 120): {}, "/run/x": {}, "[::ffff:10.0.0.1]:1": {},
	} {
		got, err := ParsePlace(text)
		if got != want || (err == nil) != (want != Place{}) || err != nil && !strings.Contains(err.Error(), "; legal: unix:/PATH") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// serve is a server at a place of the test.
func serve(t *testing.T, at Place) *Server {
	t.Helper()
	var failed crash.Net
	s, err := Serve(at, &failed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.Close(); failed.Err() != nil {
			t.Error(failed.Err())
		}
	})
	return s
}

// ask gets a page from a place.
func ask(t *testing.T, at Place, method, path string) (int, string, string) {
	t.Helper()
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, at.network, at.address)
		}}}
	req, err := http.NewRequest(method, "http://robot"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Content-Type"), string(text)
}

// Readers on a socket and on loopback get the page, and nothing else; before there is a loop they are told so.
func TestReaders(t *testing.T) {
	for _, at := range []Place{{"unix", filepath.Join(t.TempDir(), "m.sock")}, {"tcp", "127.0.0.1:0"}} {
		s := serve(t, at)
		at.address = s.line.Addr().String()
		if code, _, text := ask(t, at, "GET", "/metrics"); code != http.StatusServiceUnavailable || !strings.Contains(text, "starting") {
			t.Errorf("%v: %d %q", at, code, text)
		}
		m := New("kata", "v", joints(), func() uint64 { return 0 })
		m.Take(sample(1))
		s.Show(m)
		code, kind, text := ask(t, at, "GET", "/metrics")
		if code != http.StatusOK || kind != "text/plain; version=0.0.4; charset=utf-8" || parse(t, text)["robotd_ticks_total"] != 1 {
			t.Errorf("%v: %d %q", at, code, kind)
		}
		for _, c := range [][2]string{{"GET", "/"}, {"POST", "/metrics"}, {"GET", "/debug/pprof/"}} {
			if code, _, text := ask(t, at, c[0], c[1]); code != http.StatusNotFound && code != http.StatusMethodNotAllowed || strings.Contains(text, "robotd_") {
				t.Errorf("%v: %d", c, code)
			}
		}
		if at.network == "unix" {
			if st, err := os.Stat(at.address); err != nil || st.Mode().Perm() != 0o660 || s.Where() != "unix:"+at.address {
				t.Errorf("%v, %v", st, err)
			}
		}
		s.Close()
		if _, err := net.Dial(at.network, at.address); err == nil {
			t.Errorf("%v answers after its end", at)
		}
	}
}

// What lies at the place of the socket is only removed if it is the socket of a robotd that is gone.
func TestWhatLiesInTheWay(t *testing.T) {
	dir := t.TempDir()
	stale, file, live := filepath.Join(dir, "stale"), filepath.Join(dir, "file"), filepath.Join(dir, "live")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	serve(t, Place{"unix", stale})
	serve(t, Place{"unix", live})
	if err := os.WriteFile(file, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{file: "is no socket", live: "somebody listens there already"} {
		if _, err := Serve(Place{"unix", name}, &crash.Net{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || !bytes.Equal(text, []byte("precious")) {
		t.Errorf("%q, %v", text, err)
	}
}

// Readers that never ask, or never read, take no more than their turns, and hold up no end.
func TestReadersWhoDoNotRead(t *testing.T) {
	s := serve(t, Place{"tcp", "127.0.0.1:0"})
	m := New("kata", "v", joints(), func() uint64 { return 0 })
	m.Take(sample(1))
	s.Show(m)
	at := Place{"tcp", s.line.Addr().String()}
	for range 50 {
		c, err := net.Dial(at.network, at.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if code, _, _ := ask(t, at, "GET", "/metrics"); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	begun := time.Now()
	if s.Close(); time.Since(begun) > 30*time.Second {
		t.Errorf("the end took %v", time.Since(begun))
	}
}
