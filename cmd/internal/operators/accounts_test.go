package operators

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/mitori-robotics/mitori/actuators/crash"
	"github.com/mitori-robotics/mitori/actuators/flight"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/models/record"
)

// listener keeps what people are told.
type listener struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *listener) Status(record.Status) {}
func (l *listener) Event(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, format+"\n", args...)
}

func (l *listener) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// secretFile is a password file of that mode.
func secretFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, cfg Config) (*Link, *listener, error) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if cfg.Robot = "kata"; cfg.URL == "" {
		cfg.URL = Embedded
	}
	var failed crash.Net
	said := &listener{}
	c, err := Open(cfg, &flight.Commands{Failed: &failed}, said, &failed)
	if err == nil {
		t.Cleanup(func() { c.Close(nil) })
		c.Introduce(said)
	}
	return c, said, err
}

// enters reports whether an account may use the broker.
func enters(url, user, secret string) bool {
	o := mqtt.NewClientOptions().AddBroker(url).SetClientID("test").SetUsername(user).SetPassword(secret).SetConnectTimeout(20 * time.Second)
	client := mqtt.NewClient(o)
	token := client.Connect()
	defer client.Disconnect(0)
	return token.WaitTimeout(20*time.Second) && token.Error() == nil
}

// The embedded broker takes an operator's account and a port that stay the same, and lets nobody else in. What anybody
// can read is warned of; no password is ever said.
func TestFixedAccountOfTheEmbeddedBroker(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	for _, mode := range []os.FileMode{0o600, 0o644} {
		c, said, err := open(t, Config{User: "ann", PassFile: secretFile(t, "hunter2hunter2\n", mode), Port: port})
		if err != nil {
			t.Fatal(err)
		}
		url := fmt.Sprintf("tcp://127.0.0.1:%d", port)
		if access, err := mqttlink.ReadAccess(c.credentials); err != nil || access.URL != url || access.Operator.Username != "ann" {
			t.Errorf("%+v, %v", access, err)
		}
		if !enters(url, "ann", "hunter2hunter2") || enters(url, "ann", "hunter2") || enters(url, "operator", "hunter2hunter2") {
			t.Error("the account is another one")
		}
		if text := said.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "everybody on this machine can read") != (mode == 0o644) {
			t.Errorf("mode %o: %q", mode, text)
		}
		c.Close(nil)
	}
}

// Password files that cannot be meant are refused, by name and without what is in them.
func TestPasswordFiles(t *testing.T) {
	for text, says := range map[string]string{
		"": "legal: one line that is not empty", "\n": "legal: one line", "hunter2\nhunter3\n": "legal: one line",
		"hunter2\x00": "legal: one line", "hunter2": "shorter than 8", strings.Repeat("hunter2", 1000): "password_file",
	} {
		name := secretFile(t, text, 0o600)
		_, said, err := open(t, Config{User: "ann", PassFile: name})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error()+said.String(), "hunter2") {
			t.Errorf("%.20q: %v, said %q", text, err, said)
		}
	}
	if _, _, err := open(t, Config{User: "ann", PassFile: filepath.Join(t.TempDir(), "none")}); err == nil || !strings.Contains(err.Error(), "mqtt.password_file: ") {
		t.Errorf("%v", err)
	}
}

// Certificates that cannot be read are told before anything is opened.
func TestCertificatesOfABroker(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.pem")
	_, _, err := open(t, Config{URL: "mqtts://127.0.0.1:1", TLS: mqttlink.TLSFiles{CA: none}})
	if err == nil || !strings.Contains(err.Error(), "mqtt.ca_file: ") || !strings.Contains(err.Error(), none) {
		t.Errorf("%v", err)
	}
}
