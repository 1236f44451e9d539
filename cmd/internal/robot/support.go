package robot

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mitori-robotics/mitori/actuators/preflight"
	"github.com/mitori-robotics/mitori/cmd/internal/support"
	"github.com/mitori-robotics/mitori/models/build"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/robot"
)

// secrets is what must not leave this machine, of this configuration too.
func secrets(o *Options, serials bool) *support.Secrets {
	s := support.Here()
	s.Serials = serials
	s.Hide(o.MQTT.User, "(mqtt user)")
	s.Hide(o.MQTT.Robot, "(robot id)")
	s.Hide(o.MQTT.PassFile, "(password file)")
	if password, err := infile.Read(o.MQTT.PassFile, 1<<12); err == nil {
		s.Hide(string(bytes.TrimSpace(password)), "(password)")
	}
	if u, err := url.Parse(o.MQTT.URL); err == nil {
		s.Hide(u.Hostname(), "(broker)")
		if u.User != nil {
			s.Hide(u.User.Username(), "(mqtt user)")
			password, _ := u.User.Password()
			s.Hide(password, "(password)")
		}
	}
	return s
}

// writeSupport makes the one file for a maintainer.
func writeSupport(ctx context.Context, name string, o *Options, report *preflight.Report, serials bool) error {
	var text bytes.Buffer
	if err := report.Print(&text); err != nil {
		return err
	}
	folder, isFolder, err := o.recordPlace()
	if err != nil {
		return err
	}
	if !isFolder {
		folder = filepath.Dir(folder)
	}
	parts := []support.File{
		{Name: "check.txt", Text: text.Bytes()}, support.JSON("check.json", report),
		support.Versions(build.Version()), support.JSON("configuration.json", described(o)), support.Doctor(ctx),
		support.Stats(o.Stats, "stats.json", filepath.Join("out", "stats.json")), support.Log(folder),
	}
	if e, err := robot.Edit(o.Robot, nil); err == nil {
		parts = append(parts, support.File{Name: "robot.yaml", Text: e.Before})
	}
	return support.Write(name, secrets(o, serials), parts)
}

// described is the configuration without what belongs to people: files by their last name,
// the command link by its kind.
func described(o *Options) map[string]any {
	last := func(file string) string {
		if file == "" {
			return ""
		}
		return filepath.Base(file)
	}
	link := o.MQTT.URL
	if u, err := url.Parse(link); err == nil && u.Scheme != "" {
		link = u.Scheme
	}
	shared := ""
	if o.MQTT.PassFile != "" {
		shared = "unreadable"
		if st, err := os.Stat(o.MQTT.PassFile); err == nil {
			shared = st.Mode().Perm().String()
		}
	}
	return map[string]any{
		"robot": last(o.Robot), "port": o.Port, "baud": o.Baud, "rate_hz": o.RateHz, "policy": last(o.Policy), "record": last(o.Record),
		"record_limit_mb": o.RecordLimitMB, "record_file_mb": o.RecordFileMB, "record_when": o.RecordWhen, "metrics": o.Metrics,
		"arm": o.Arm, "follow": o.Follow, "stop_button": o.Button, "stop_gpio": o.GPIO, "battery": o.Battery,
		"keep_eeprom": o.KeepEEPROM, "failsafes": o.Failsafes, "sim": o.Sim,
		"mqtt": link, "lease": o.MQTT.Lease, "mqtt_user_given": o.MQTT.User != "", "password_file_mode": shared,
		"ca_file_given": o.MQTT.CAFile != "", "cert_file_given": o.MQTT.CertFile != "",
	}
}
