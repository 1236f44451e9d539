package robot

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mitori-robotics/mitori/actuators/follow"
	"github.com/mitori-robotics/mitori/actuators/lease"
	"github.com/mitori-robotics/mitori/actuators/realtime"
	"github.com/mitori-robotics/mitori/actuators/shared"
	"github.com/mitori-robotics/mitori/cmd/internal/console"
	"github.com/mitori-robotics/mitori/firmware-bridge/mqttlink"
	"github.com/mitori-robotics/mitori/firmware-bridge/refsocket"
	"github.com/mitori-robotics/mitori/firmware-bridge/secretdir"
)

// references brings live references from the socket and the command link to the loop. Its
// methods may be called from any goroutine.
type references struct {
	desk   atomic.Pointer[follow.Desk] // nil: there is no loop yet
	leases *lease.Desk
	tell   *console.Console

	mu      sync.Mutex
	refused int // since people were told
	told    time.Time
}

// complainEvery is how often people are told of what was refused.
const complainEvery = time.Second

// take offers a reference to the loop.
func (f *references) take(r follow.Reference) {
	d := f.desk.Load()
	if d == nil {
		return
	}
	if err := d.Offer(r, realtime.NowNs()); err != nil {
		f.complain(err)
	}
}

// frame is one from the socket.
func (f *references) frame(r refsocket.Frame) {
	f.take(follow.Reference{Seq: r.Seq, TimeNs: r.TimeUs * 1000, PosRad: r.PosRad})
}

// message is one from the command link: only who holds the lease is followed.
func (f *references) message(r mqttlink.Reference, err error) {
	switch holder := f.leases.Holder(); {
	case err != nil:
		f.complain(err)
	case holder == "" || holder != r.Issuer:
		f.complain(fmt.Errorf("%s does not hold the operator's lease, which references over MQTT need", r.Issuer))
	default:
		f.take(follow.Reference{Seq: r.Seq, TimeNs: r.TimeUs * 1000, PosRad: r.PosRad})
	}
}

// complain tells people, now and then.
func (f *references) complain(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused++
	if time.Since(f.told) < complainEvery {
		return
	}
	f.tell.Event("warning: %d references refused, the latest: %v", f.refused, err)
	f.refused, f.told = 0, time.Now()
}

// listen opens the socket, where live references are to be followed. The socket is gone
// after close.
func (r *run) listen(latest *shared.Latest) (closeIt func(), err error) {
	if !r.o.Follow {
		return func() {}, nil
	}
	dir, err := secretdir.New()
	if err != nil {
		return nil, fmt.Errorf("a private folder for the references' socket: %w", err)
	}
	s, err := refsocket.Listen(filepath.Join(dir.Path(), "references-"+strings.ToLower(r.desc.Name)+".sock"))
	if err != nil {
		dir.Remove()
		return nil, err
	}
	r.refs.desk.Store(follow.NewDesk(r.cfg.Limits, latest))
	r.tell.Event("live references: %s", s.Path())
	done := make(chan struct{})
	r.failed.Start("the references' socket", func() {
		defer close(done)
		s.Serve(r.refs.frame, func(err error) {
			if err != nil {
				r.refs.complain(err)
			}
		})
	})
	return func() {
		s.Close()
		<-done
		dir.Remove()
	}, nil
}
