package mqttlink_test

import (
	"fmt"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
)

// The operator's side: what is published to a robot, and what the robot reads in it. Broker, account and topic are in
// the credentials file whose name robotd prints; ReadAccess reads it.
func ExampleEncodeCommand() {
	text, err := mqttlink.EncodeCommand(mqttlink.Command{Robot: "kata20", Issuer: "ann", Seq: 1,
		IssuedAt: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), TTL: 2 * time.Second, Verb: "arm"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))
	c, err := mqttlink.DecodeCommand(text)
	fmt.Println(c.Verb, c.TTL, err)
	// Output:
	// {"v":1,"robot":"kata20","issuer":"ann","seq":1,"issued_at":"2026-05-01T12:00:00Z","ttl_ms":2000,"verb":"arm"}
	// arm 2s <nil>
}
