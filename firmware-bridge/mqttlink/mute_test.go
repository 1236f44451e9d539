package mqttlink

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// muteBroker lets clients in and acknowledges subscriptions, and nothing else.
func muteBroker(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for {
					p, err := packets.ReadPacket(conn)
					if err != nil {
						return
					}
					switch p := p.(type) {
					case *packets.ConnectPacket:
						_ = packets.NewControlPacket(packets.Connack).Write(conn)
					case *packets.SubscribePacket:
						a := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
						a.MessageID, a.ReturnCodes = p.MessageID, []byte{1}
						_ = a.Write(conn)
					}
				}
			}()
		}
	}()
	return "tcp://" + listener.Addr().String()
}

// The end is not delayed by a broker that acknowledges nothing, however much is
// queued: 256 messages of 2 s each would be minutes.
func TestMuteBrokerDoesNotDelayTheEnd(t *testing.T) {
	l, err := New(robotConfig(muteBroker(t), Credentials{}, func(Command) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = l.Run(ctx) }()
	wait(t, "link up", l.up.Load)
	for range newsDepth {
		_ = l.Event([]byte("{}"))
	}
	stop()
	select {
	case <-ended:
	case <-time.After(Farewell + 4*time.Second): // and a busy machine
		t.Fatalf("not over %v after the end", Farewell+4*time.Second)
	}
}

// A panic of the robot's own code on the network's goroutine reaches OnPanic.
func TestPanicInACommand(t *testing.T) {
	caught := make(chan string, 1)
	cfg := robotConfig("tcp://127.0.0.1:1", Credentials{}, func(Command) error { panic("boom") })
	cfg.OnPanic = func(where string, what any) { caught <- where }
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b, err := EncodeCommand(Command{Robot: cfg.Robot, Issuer: "ann", Seq: 1, IssuedAt: time.Now(), TTL: 5 * time.Second, Verb: "arm"})
	if err != nil {
		t.Fatal(err)
	}
	l.receive(b, false)
	if len(caught) != 1 {
		t.Error("nobody was told")
	}
}
