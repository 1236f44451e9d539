package mqttlink

import (
	"strings"
	"testing"
)

func TestNoSecretInAnyURL(t *testing.T) {
	for _, s := range []string{
		"tcp://alice:hunter2@broker:1883", "mqtts://hunter2@broker:8883", "tcp://alice:hun@ter2@broker", "alice:hunter2@broker:1883",
		"tcp://alice:1/hunter2@broker", "tcp://al ice:hunter2@bro ker:%zz", "tcp://alice:hunter2%zz@broker", "://alice:hunter2@broker",
		"ws://broker/mqtt?token=hunter2", "tcp://alice:hunter2#x@broker", "tcp://alice:hunter2?x@broker", "tcp:alice:hunter2@broker",
	} {
		if got := Redact(s); strings.Contains(got, "hunter2") || strings.Contains(got, "ter2") || !strings.Contains(got, "bro") {
			t.Errorf("%s -> %s", s, got)
		}
		_, err := New(robotConfig(s, Credentials{}, func(Command) error { return nil }))
		if err != nil && strings.Contains(err.Error(), "ter2") {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"tcp://broker:1883", "off", "embedded", "nowhere"} {
		if got := Redact(s); got != s {
			t.Errorf("%s -> %s", s, got)
		}
	}
}

func TestInClear(t *testing.T) {
	for s, want := range map[string]bool{
		"tcp://a:secret12@broker:1883": true, "mqtt://a:secret12@10.0.0.7": true, "ws://a:secret12@broker/mqtt": true,
		"tcp://broker:1883": false, "ssl://a:secret12@broker:8883": false, "wss://a:secret12@broker/x": false,
		"tcp://a:secret12@127.0.0.1:1883": false, "tcp://a:secret12@[::1]:1883": false, "tcp://a:secret12@localhost": false,
	} {
		l, err := New(robotConfig(s, Credentials{}, func(Command) error { return nil }))
		if err != nil {
			t.Fatal(err)
		}
		if l.InClear() != want {
			t.Errorf("%s: %v", Redact(s), !want)
		}
	}
}
