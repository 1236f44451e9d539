package busemu

import (
	"context"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/firmware-bridge/dxl"
	"github.com/mitori-robotics/mitori/firmware-bridge/serialport"
)

// BenchmarkTick is one tick of a 20-servo robot: sync write of goals, fast sync read of
// current, velocity and position, read of the hub. "wire" is codec and devices alone,
// "terminal" adds a pseudo-terminal and two processes' worth of scheduling, "3Mbit"
// the time that the bytes take on a real wire (502 bytes: 1.8 ms with the pauses of the devices).
func BenchmarkTick(b *testing.B) {
	b.Run("wire", func(b *testing.B) {
		bench := newBench(b, 20, nil)
		tick(b, bench)
	})
	for name, baud := range map[string]int{"terminal": 0, "3Mbit": 3_000_000} {
		b.Run(name, func(b *testing.B) {
			bench := newBench(b, 20, nil)
			s, err := NewServer(bench.line.World, ServerConfig{Baud: baud})
			if err != nil {
				b.Skip(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			port, err := serialport.Open(s.Path(0), 3_000_000)
			must(b, err)
			bench.bus = dxl.NewBus(port, dxl.Config{Baud: 3_000_000, Margin: time.Second})
			tick(b, bench)
			stop()
			must(b, <-ended)
			port.Close()
		})
	}
}

func tick(b *testing.B, bench *bench) {
	w, err := dxl.NewGoalWriter(bench.bus, bench.ids)
	must(b, err)
	r, err := dxl.NewStateReader(bench.bus, bench.ids, dxl.Fast)
	must(b, err)
	h := newHubReader(b, bench.bus)
	goals, states, hub := make([]dxl.PositionCount, 20), make([]dxl.State, 20), dxl.HubState{}
	for i := range goals {
		goals[i] = 2048
	}
	b.ReportAllocs()
	for b.Loop() {
		must(b, w.Write(goals))
		must(b, r.ReadInto(states))
		must(b, h.Read(&hub))
	}
}
