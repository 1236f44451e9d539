package busemu

import (
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
)

// Servos forget the beginning of a packet that broke off when nothing follows for 1.5 ms, and
// take what comes sooner for the rest of it.
func TestAPacketThatBrokeOffIsForgotten(t *testing.T) {
	ping := dxl.Append(nil, &dxl.Packet{ID: 1, Instruction: dxl.InstPing})
	long := dxl.Append(nil, &dxl.Packet{ID: dxl.Broadcast, Instruction: dxl.InstSyncWrite, Params: make([]byte, 100)})
	for _, tt := range []struct {
		pause time.Duration
		heard bool
	}{{time.Millisecond, false}, {2 * time.Millisecond, true}} {
		w := NewTimedWire(newBench(t, 1, nil).line, 3_000_000)
		if _, err := w.Write(long[:30]); err != nil {
			t.Fatal(err)
		}
		w.PassUntil(w.Now().Add(w.wireTime(30) + tt.pause))
		if _, err := w.Write(ping); err != nil {
			t.Fatal(err)
		}
		_ = w.SetReadTimeout(5 * time.Millisecond)
		if n, _ := w.Read(make([]byte, 64)); n > 0 != tt.heard {
			t.Errorf("after %v an answer of %d bytes", tt.pause, n)
		}
	}
}
