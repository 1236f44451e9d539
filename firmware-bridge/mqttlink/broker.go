package mqttlink

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// BrokerConfig says where the embedded broker listens.
type BrokerConfig struct {
	Robot string // id in the topics; decides who may say what
	Host  string // default 127.0.0.1; anything but loopback needs TLS
	Port  int    // 0: a free one
	TLS   *tls.Config
	// StateDir keeps sessions and retained messages; default: a private folder that
	// Close removes.
	StateDir string
	// Operator and RobotUser are the two accounts; a missing password is made up anew
	// for each run.
	Operator, RobotUser Credentials
	// CredentialsFile, if set, gets URL and credentials as JSON, readable by its owner
	// only, removed by Close.
	CredentialsFile string
}

// Credentials are one account.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// Access is what CredentialsFile holds.
type Access struct {
	URL      string      `json:"url"`
	Robot    string      `json:"robot"`
	Operator Credentials `json:"operator"`
}

// Broker is an MQTT broker in this process: a NATS server whose only listener speaks
// MQTT. There is no anonymous access; the robot's account may publish what a robot
// publishes and hear commands, the operator's may command and hear everything.
type Broker struct {
	cfg    BrokerConfig
	server *server.Server
	dir    string // to remove
	url    string
}

const (
	readyTimeout = 10 * time.Second
	maxStore     = 64 << 20
	maxMemory    = 16 << 20
)

// StartBroker starts the broker and waits until it accepts connections.
func StartBroker(cfg BrokerConfig) (*Broker, error) {
	if !validName(cfg.Robot) {
		return nil, fmt.Errorf("mqttlink: robot id %q; legal: 1 to 64 of a-z 0-9 _ -", cfg.Robot)
	}
	if cfg.Host == "" {
		cfg.Host = "127.0.0.1"
	}
	if cfg.TLS == nil && !isLoopback(cfg.Host) {
		return nil, fmt.Errorf("mqttlink: broker on %s without TLS; legal: 127.0.0.1, ::1, localhost, or give a certificate", cfg.Host)
	}
	if cfg.Port < 0 || cfg.Port > 65535 {
		return nil, fmt.Errorf("mqttlink: broker port %d; legal: 0 (any free one) to 65535", cfg.Port)
	}
	b := &Broker{cfg: cfg}
	if err := b.accounts(); err != nil {
		return nil, err
	}
	if err := b.start(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// isLoopback reports whether only this machine can reach host.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// accounts fills in what is missing.
func (b *Broker) accounts() error {
	for _, a := range []struct {
		c    *Credentials
		name string
	}{{&b.cfg.Operator, "operator"}, {&b.cfg.RobotUser, "robot"}} {
		if a.c.Username == "" {
			a.c.Username = a.name
		}
		if a.c.Password == "" {
			var secret [24]byte
			rand.Read(secret[:]) // never fails: crypto/rand aborts the program instead
			a.c.Password = hex.EncodeToString(secret[:])
		}
		if len(a.c.Password) < 8 {
			return fmt.Errorf("mqttlink: password of %q is shorter than 8 characters", a.c.Username)
		}
	}
	if b.cfg.Operator.Username == b.cfg.RobotUser.Username {
		return fmt.Errorf("mqttlink: operator and robot are both called %q", b.cfg.Operator.Username)
	}
	return nil
}

// options are the server's. Topics a/b are subjects a.b to it.
func (b *Broker) options(dir string) *server.Options {
	base := "fleet." + b.cfg.Robot
	only := func(subjects ...string) *server.SubjectPermission { return &server.SubjectPermission{Allow: subjects} }
	mqttOnly := map[string]struct{}{"MQTT": {}}
	port := b.cfg.Port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName: "mitori-" + b.cfg.Robot,
		DontListen: true, // no NATS port: MQTT only
		NoSigs:     true, NoLog: true, MaxPayload: MaxMessageBytes + 4096, MaxConn: 64, MaxSubs: 256,
		JetStream: true, StoreDir: dir, JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxStore, DisableJetStreamBanner: true,
		MQTT: server.MQTTOpts{Host: b.cfg.Host, Port: port, TLSConfig: b.cfg.TLS},
		Users: []*server.User{
			{
				Username: b.cfg.RobotUser.Username, Password: b.cfg.RobotUser.Password, AllowedConnectionTypes: mqttOnly,
				Permissions: &server.Permissions{Publish: only(base+".state", base+".event", base+".ack"), Subscribe: only(base+".cmd", base+".ref", base+".state")},
			},
			{
				Username: b.cfg.Operator.Username, Password: b.cfg.Operator.Password, AllowedConnectionTypes: mqttOnly,
				Permissions: &server.Permissions{Publish: only(base+".cmd", base+".ref"), Subscribe: only(base, base+".>")},
			},
		},
	}
}

func (b *Broker) start() error {
	dir := b.cfg.StateDir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "mitori-broker-"); err != nil {
			return fmt.Errorf("mqttlink: broker's folder: %w", err)
		}
		b.dir = dir
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("mqttlink: broker's folder: %w", err)
	}
	// The server ends the process if its port is taken: ask first.
	addr := net.JoinHostPort(b.cfg.Host, strconv.Itoa(b.cfg.Port))
	if probe, err := net.Listen("tcp", addr); err != nil {
		return fmt.Errorf("mqttlink: broker cannot listen on %s: %w; stop what uses the port, or choose port 0", addr, err)
	} else {
		probe.Close()
	}
	opts := b.options(dir)
	s, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("mqttlink: broker: %w", err)
	}
	b.server = s
	s.Start()
	if !s.ReadyForConnections(readyTimeout) {
		return fmt.Errorf("mqttlink: broker on %s is not ready after %v", addr, readyTimeout)
	}
	v, err := s.Varz(nil)
	if err != nil {
		return fmt.Errorf("mqttlink: broker: %w", err)
	}
	scheme := "tcp"
	if b.cfg.TLS != nil {
		scheme = "ssl"
	}
	b.url = scheme + "://" + net.JoinHostPort(b.cfg.Host, strconv.Itoa(v.MQTT.Port))
	return b.writeCredentials()
}

// writeCredentials never lets the file be readable by others, not even for a moment.
func (b *Broker) writeCredentials() error {
	name := b.cfg.CredentialsFile
	if name == "" {
		return nil
	}
	data, err := json.MarshalIndent(Access{URL: b.url, Robot: b.cfg.Robot, Operator: b.cfg.Operator}, "", "  ")
	if err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	_ = os.Remove(tmp)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("mqttlink: credentials: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("mqttlink: credentials: %w", err)
	}
	return nil
}

// ReadAccess reads a credentials file.
func ReadAccess(name string) (Access, error) {
	var a Access
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		return a, fmt.Errorf("mqttlink: credentials %s: %w", name, err)
	}
	return a, nil
}

// URL is where the broker listens.
func (b *Broker) URL() string { return b.url }

// Robot is the robot's account.
func (b *Broker) Robot() Credentials { return b.cfg.RobotUser }

// Operator is the operator's account.
func (b *Broker) Operator() Credentials { return b.cfg.Operator }

// Close stops the broker and removes what it made for this run only.
func (b *Broker) Close() error {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	var errs []error
	if b.url != "" && b.cfg.CredentialsFile != "" {
		errs = append(errs, os.Remove(b.cfg.CredentialsFile))
	}
	if b.dir != "" {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}
