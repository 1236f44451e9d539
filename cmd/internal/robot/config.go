package robot

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/actuators/clock"
	"github.com/mitori-robotics/mitori/actuators/energy"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/settings"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
	"github.com/mitori-robotics/mitori/cmd/internal/metrics"
	"github.com/mitori-robotics/mitori/cmd/internal/operators"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/models/strictyaml"
)

// Config is the configuration file. Unknown keys are refused, and every fault is
// reported at once, with its line.
type Config struct {
	Robot      string          `yaml:"robot"`
	Port       string          `yaml:"port"`
	Baud       int             `yaml:"baud"` // 0: the robot's
	RateHz     int             `yaml:"rate_hz"`
	Policy     string          `yaml:"policy"`
	Arm        bool            `yaml:"arm"`
	Follow     bool            `yaml:"follow"`      // live references instead of a policy
	Button     string          `yaml:"stop_button"` // of the sensor hub: cuts torque; empty: none
	GPIO       GPIOConfig      `yaml:"stop_gpio"`   // a stop contact that is wired to this computer
	MQTT       MQTTConfig      `yaml:"mqtt"`
	Battery    BatteryConfig   `yaml:"battery"`     // if it is described, its charge is kept account of
	KeepEEPROM bool            `yaml:"keep_eeprom"` // refuse servos whose lasting settings do not fit, instead of changing them
	Metrics    string          `yaml:"metrics"`     // see metrics.ParsePlace; empty: off
	Failsafes  settings.Values `yaml:"failsafes"`   // by name; what is absent keeps its default

	Record        string `yaml:"record"`          // file, folder, or none; empty: a folder of the robot's
	RecordLimitMB int    `yaml:"record_limit_mb"` // all recordings together; 0: the default, likewise below
	RecordFileMB  int    `yaml:"record_file_mb"`  // one of them
	RecordWhen    string `yaml:"record_when"`     // recordAlways or recordArmed

	lines *strictyaml.Document // where things stand in the file; nil: there is none
}

// GPIOConfig is where a stop contact is wired: normally closed.
type GPIOConfig struct {
	Chip   string `yaml:"chip"` // of /dev; empty: there is none
	Line   int    `yaml:"line"`
	Active string `yaml:"active"` // what it reads while the contact is open: high (the default), low
}

// openHigh says that the line reads high while the contact is open.
func (g *GPIOConfig) openHigh() bool { return g.Active != "low" }

func (g *GPIOConfig) faults(bad *strictyaml.Faults) {
	if *g == (GPIOConfig{}) {
		return
	}
	bad.Check(g.Chip != "" && !strings.ContainsAny(g.Chip, "/ "), "stop_gpio.chip: %q; legal: a chip's name, as gpiochip0", g.Chip)
	bad.Check(g.Line >= 0 && g.Line < 1024, "stop_gpio.line: %d; legal: 0 to 1023", g.Line)
	bad.Check(g.Active == "" || g.Active == "high" || g.Active == "low",
		"stop_gpio.active: %q; legal: high, low: what the line reads while the contact is open", g.Active)
}

// BatteryConfig describes the battery; absent: nothing is claimed of it.
type BatteryConfig struct {
	Cells     int     `yaml:"cells"` // in series; 0: the robot's
	Chemistry string  `yaml:"chemistry"`
	Ah        float64 `yaml:"capacity_ah"`
	Ohm       float64 `yaml:"resistance_ohm"` // with leads and connectors
	IdleA     float64 `yaml:"idle_a"`         // drawn while no servo moves or holds
}

func (b *BatteryConfig) faults(bad *strictyaml.Faults) {
	if *b == (BatteryConfig{}) {
		return
	}
	bad.Check(b.Ah > 0 && b.Ah <= 1000, "battery.capacity_ah: %g; legal: above 0 to 1000", b.Ah)
	bad.Check(b.Ohm > 0 && b.Ohm <= 5, "battery.resistance_ohm: %g; legal: above 0 to 5", b.Ohm)
	bad.Check(b.IdleA >= 0 && b.IdleA <= 50, "battery.idle_a: %g; legal: 0 to 50", b.IdleA)
	bad.Check(b.Cells >= 0 && b.Cells <= 24, "battery.cells: %d; legal: 0 (the robot's) to 24", b.Cells)
	bad.Check(b.Chemistry == "" || slices.Contains(energy.Chemistries(), b.Chemistry),
		"battery.chemistry: %q; legal: %s", b.Chemistry, strings.Join(energy.Chemistries(), ", "))
}

// MQTTConfig describes the command link.
type MQTTConfig struct {
	URL      string `yaml:"url"` // off, embedded, or a broker's URL
	User     string `yaml:"user"`
	PassFile string `yaml:"password_file"`
	Robot    string `yaml:"robot_id"` // topic level; default: the robot's name
	Lease    string `yaml:"lease"`    // who needs one: required, optional (the default), off
	Port     int    `yaml:"port"`     // of the embedded broker; 0: a free one
	CAFile   string `yaml:"ca_file"`  // PEM, as the next two
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Load reads a configuration file over c.
func (c *Config) Load(name string) error {
	text, err := infile.Read(name, 1<<20)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if err := c.parse(text); err != nil {
		return fmt.Errorf("config: %s:\n%w", name, err)
	}
	return nil
}

func (c *Config) parse(text []byte) error {
	doc, err := strictyaml.Decode(text, c)
	if errors.Is(err, strictyaml.ErrEmpty) {
		return fmt.Errorf("  %w; at least robot: is needed", err)
	} else if err != nil {
		return fmt.Errorf("  %w", err)
	}
	c.lines = doc
	bad := doc.Faults()
	for i, f := range bad {
		bad[i] = explainYAML(f)
	}
	if !doc.Broken() {
		bad = append(bad, c.located(c.faults())...)
	}
	return usage(bad)
}

// located puts before each sentence the line of the key that it begins with.
func (c *Config) located(bad strictyaml.Faults) strictyaml.Faults {
	if c.lines == nil {
		return bad
	}
	for i, f := range bad {
		key, _, _ := strings.Cut(f, ":")
		if line := c.lines.LineOf(strings.Split(key, ".")...); line > 0 {
			bad[i] = fmt.Sprintf("line %d: %s", line, f)
		}
	}
	return bad
}

// unfit words what is wrong with failsafes.
func (c *Config) unfit(all []settings.Unfit) (bad strictyaml.Faults) {
	for _, u := range all {
		bad.Check(false, "failsafes.%s: %s", u.Key, u.Why)
	}
	return bad
}

// explainYAML says an unknown key in the words of the file's author.
func explainYAML(e string) string {
	line, rest, ok := strings.Cut(e, ": field ")
	if key, _, found := strings.Cut(rest, " not found in type "); ok && found {
		return fmt.Sprintf("%s: unknown key %q; legal: robot, port, baud, rate_hz, policy, record, "+
			"record_limit_mb, record_file_mb, record_when, arm, follow, stop_button, stop_gpio (chip, line, active), keep_eeprom, "+
			"mqtt (url, user, password_file, robot_id, lease, port, ca_file, cert_file, key_file), "+
			"battery (cells, chemistry, capacity_ah, resistance_ohm, idle_a), metrics, failsafes", line, key)
	}
	return e
}

// validate reports every bad value at once.
func (c *Config) validate() error { return usage(c.faults()) }

// usage is the error of a bad configuration, nil of a good one.
func usage(bad strictyaml.Faults) error {
	if err := bad.Err(); err != nil {
		return fault.Usage("%w", err)
	}
	return nil
}

func (c *Config) faults() (bad strictyaml.Faults) {
	bad = c.unfit(settings.Check(c.Failsafes))
	c.recordFaults(&bad)
	if _, err := metrics.ParsePlace(c.Metrics); c.Metrics != "" && err != nil {
		bad.Check(false, "metrics: %v", err)
	}
	bad.Check(c.RateHz == 0 || c.RateHz >= 10 && c.RateHz <= clock.MaxRateHz,
		"rate_hz: %d; legal: 10 to %d", c.RateHz, clock.MaxRateHz)
	bad.Check(c.Baud == 0 || c.Baud >= 9600 && c.Baud <= 4500000, "baud: %d; legal: 9600 to 4500000", c.Baud)
	_, known := hubButtons()[c.Button]
	bad.Check(c.Button == "" || known, "stop_button: %q; legal: %s", c.Button, slices.Sorted(maps.Keys(hubButtons())))
	c.GPIO.faults(&bad)
	c.MQTT.faults(&bad)
	c.Battery.faults(&bad)
	bad.Check(!strings.ContainsAny(c.MQTT.Robot, "/+#"), "mqtt.robot_id: %q; legal: no / + #", c.MQTT.Robot)
	return bad
}

// faults judges where the operators are.
func (m *MQTTConfig) faults(bad *strictyaml.Faults) {
	_, known := lease.ParseRule(m.Lease)
	bad.Check(known, "mqtt.lease: %q; legal: %s", m.Lease, strings.Join(lease.Rules(), ", "))
	bad.Check((m.User == "") == (m.PassFile == ""), "mqtt: user and password_file belong together")
	bad.Check((m.CertFile == "") == (m.KeyFile == ""), "mqtt: cert_file and key_file belong together")
	bad.Check(m.Port >= 0 && m.Port <= 65535, "mqtt.port: %d; legal: 0 (any free one) to 65535", m.Port)
	bad.Check(m.Port == 0 || m.URL == operators.Embedded,
		"mqtt.port: %d; legal: with the embedded broker; others have it in url", m.Port)
	secured := m.CAFile != "" || m.CertFile != "" || m.KeyFile != ""
	switch m.URL {
	case "", operators.Off:
		bad.Check(m.User == "" && m.PassFile == "",
			"mqtt: user and password_file; legal: with a broker, embedded or by its url")
		bad.Check(!secured, "mqtt: ca_file, cert_file, key_file; legal: with the url of a broker")
	case operators.Embedded:
		bad.Check(!secured,
			"mqtt: ca_file, cert_file, key_file; legal: with the url of a broker; the embedded one is on loopback")
		bad.Check(m.User != embeddedRobot, "mqtt.user: %q; legal: another name, this one is the robot's own", m.User)
	default:
		u, err := url.Parse(m.URL)
		legal := err == nil && u.Host != "" && slices.Contains([]string{"mqtt", "tcp", "mqtts", "ssl", "ws", "wss"}, u.Scheme)
		bad.Check(legal, "mqtt.url: %q; legal: off, embedded, or mqtt://, mqtts://, ws:// or wss:// with a host",
			mqttlink.Redact(m.URL))
		bad.Check(!legal || !secured || slices.Contains([]string{"mqtts", "ssl", "wss"}, u.Scheme),
			"mqtt: ca_file, cert_file, key_file; legal: with mqtts:// or wss://, and the url is %q", mqttlink.Redact(m.URL))
	}
}

// embeddedRobot is the robot's own account at the embedded broker.
const embeddedRobot = "robot"

// hubButtons are the sensor hub's buttons and their bits.
func hubButtons() map[string]uint8 {
	return map[string]uint8{"mode": 1 << 0, "start": 1 << 1, "user": 1 << 2, "reset": 1 << 3}
}

// Overlay takes the flags that were given into c.
func (c *Config) Overlay(flags *Config, given func(string) bool) {
	set := func(flag string, dst, src *string) {
		if given(flag) {
			*dst = *src
		}
	}
	set("robot", &c.Robot, &flags.Robot)
	set("port", &c.Port, &flags.Port)
	set("policy", &c.Policy, &flags.Policy)
	set("record", &c.Record, &flags.Record)
	set("mqtt", &c.MQTT.URL, &flags.MQTT.URL)
	if given("rate") {
		c.RateHz = flags.RateHz
	}
	if given("follow") {
		c.Follow = flags.Follow
	}
	if given("arm") {
		c.Arm = flags.Arm
	}
}
