package robot

import (
	"archive/zip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/actuators/logbook"
	"github.com/mitori-robotics/mitori/actuators/preflight"
	"github.com/mitori-robotics/mitori/models/record"
	"github.com/mitori-robotics/mitori/models/robot"
)

// The support file of a robot whose every file tells whose it is tells nothing of that, and
// all that a maintainer needs.
func TestSupportFile(t *testing.T) {
	home := filepath.Join(t.TempDir(), "berta")
	t.Setenv("HOME", home)
	t.Setenv("USER", "berta")
	t.Chdir(t.TempDir())
	put := func(name, text string) string {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	e, err := robot.Edit("kata20", nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Stats: filepath.Join(home, "stats.json"), Config: Config{
		Robot: put(filepath.Join(home, "robot.yaml"), "# by berta, mail berta@example.org\n"+string(e.Before)),
		Port:  "/dev/serial/by-id/usb-FTDI_FT5NR2TL-if00", Record: filepath.Join(home, "flights", "a.mcap"),
		MQTT: MQTTConfig{URL: "mqtts://broker.example:8883", User: "operator9", PassFile: put(filepath.Join(home, "secret"), "hunter22\n"), Robot: "unit-77"},
	}}
	if err := os.WriteFile(filepath.Join(home, "scene.xml"), []byte(shipped(t, "kata20").MJCF), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&record.Stats{Recording: o.Record, Notes: []string{"unit-77 lost " + o.MQTT.URL}}).Save(o.Stats); err != nil {
		t.Fatal(err)
	}
	desc := shipped(t, o.Robot)
	cfg, _, err := prepare(desc, &Options{Config: Config{Robot: o.Robot}})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := flight.Record(logbook.Config{Path: o.Record, Robot: desc.Name, FileBytes: 1e7, KeepBytes: 1e8}, desc.JointNames(), cfg, false, map[string]string{"policy": filepath.Join(home, "wave.bundle"), "by": "berta"})
	if err == nil {
		err = rec.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "support.zip")
	report := &preflight.Report{Robot: "kata20", Faults: []string{"port " + o.Port + ": password hunter22 of operator9 in " + o.MQTT.PassFile}}
	if err := writeSupport(context.Background(), name, o, report, false); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	parts := ""
	for _, f := range z.File {
		parts += f.Name + " "
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		for _, secret := range []string{"berta", home, "hunter22", "operator9", "broker.example", "unit-77", "FT5NR2TL", "example.org", "/secret"} {
			if strings.Contains(f.Name+f.Comment+string(text), secret) {
				t.Errorf("%s says %q:\n%s", f.Name, secret, text)
			}
		}
	}
	for _, part := range []string{"check.txt", "check.json", "versions.json", "configuration.json", "doctor.json", "stats.json", "flight-log.txt", "robot.yaml"} {
		if !strings.Contains(parts, part) {
			t.Errorf("there is no %s among %s", part, parts)
		}
	}
}

func shipped(t *testing.T, name string) *robot.Description {
	t.Helper()
	d, err := robot.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
