package mqttlink

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The topics of the manual are those that the two accounts of the embedded broker may
// use, each in its direction: no topic is promised that nobody publishes.
func TestManualHasTheTopics(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/mqtt.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `fleet/<id>/([^`]+)` \\| (\\w+) ").FindAllStringSubmatch(string(text), -1) {
		documented[m[2]] = append(documented[m[2]], "fleet.r1."+m[1])
	}
	b := &Broker{cfg: BrokerConfig{Robot: "r1"}}
	if err := b.accounts(); err != nil {
		t.Fatal(err)
	}
	for who, account := range map[string]int{"robot": 0, "operator": 1} {
		may := b.options(t.TempDir()).Users[account].Permissions.Publish.Allow
		slices.Sort(may)
		slices.Sort(documented[who])
		if !slices.Equal(may, documented[who]) {
			t.Errorf("%s publishes %v, documented are %v", who, may, documented[who])
		}
	}
	if n := strings.Count(string(text), "fleet/<id>/"); n != 5 {
		t.Errorf("%d topics in the manual's text", n)
	}
}
