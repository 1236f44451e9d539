package mqttlink

import (
	"bytes"
	"time"
)

const (
	// Commands that one issuer may give in a second, and all of them together; as many
	// may come at once. People press buttons; what is faster is a fault or an attack.
	issuerPerS, allPerS = 10, 50
	// refusalEvery is how often who is too fast is told so.
	refusalEvery = time.Second
)

// bucket holds what may still be done at once, and fills with time.
type bucket struct {
	left float64
	at   time.Time
}

// take reports whether one more is within perS a second.
func (b *bucket) take(now time.Time, perS float64) bool {
	switch gone := now.Sub(b.at).Seconds(); {
	case b.at.IsZero():
		b.left = perS
	case gone > 0:
		b.left = min(perS, b.left+gone*perS)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// pace bounds how many commands are looked at. An e-stop is never counted against
// anybody. It belongs to the network's goroutine; time is monotonic.
type pace struct {
	all     bucket
	issuers map[string]*bucket
	told    time.Time
	dropped uint64 // since somebody was told
}

func newPace() *pace { return &pace{issuers: map[string]*bucket{}} }

// stops reports whether a message may be an e-stop, without decoding it: a flood must
// cost as little as possible, and none of its messages may hide a stop.
func stops(payload []byte) bool {
	return len(payload) <= MaxCommandBytes && bytes.Contains(payload, []byte(VerbEStop))
}

// message admits one message, whoever sent it.
func (p *pace) message(now time.Time) bool { return p.all.take(now, allPerS) }

// issuer admits one command of an issuer. Those that were not heard for longest are
// forgotten, so that strangers cannot make the robot remember without end.
func (p *pace) issuer(name string, now time.Time) bool {
	b := p.issuers[name]
	if b == nil {
		for other, o := range p.issuers {
			if len(p.issuers) >= maxIssuers && now.Sub(o.at) > time.Second {
				delete(p.issuers, other) // its bucket is full again: nothing is forgotten
			}
		}
		if len(p.issuers) >= maxIssuers {
			return false
		}
		b = &bucket{}
		p.issuers[name] = b
	}
	return b.take(now, issuerPerS)
}

// drop counts a command that is not looked at; it reports whether to tell so, and how
// many there were.
func (p *pace) drop(now time.Time) (n uint64, tell bool) {
	p.dropped++
	if !p.told.IsZero() && now.Sub(p.told) < refusalEvery {
		return 0, false
	}
	n, p.dropped, p.told = p.dropped, 0, now
	return n, true
}
