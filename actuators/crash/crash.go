// Package crash is where panics end while servos carry torque: none of them may end
// the process at once, as Go would have it, for the servos would then hold.
//
// A [Net] catches the panics of the goroutines that are started through it, or that
// defer [Net.Caught]; goroutines of other people's packages are out of its reach.
// All methods may be called from any goroutine.
package crash

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// Net remembers the first panic, asks for torque-off, and lets the run end as after
// an e-stop, with the panic as its error. The zero value is ready.
type Net struct {
	mu    sync.Mutex
	first error
	cut   func() // nil while no servo can carry torque
}

// Arm says how to get torque off from now on; it must not block.
func (c *Net) Arm(cut func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if c.first != nil && cut != nil {
		cut()
	}
}

// Caught ends a panic of this goroutine. It must be the deferred call itself.
func (c *Net) Caught(where string) {
	if r := recover(); r != nil {
		c.Note(where, r)
	}
}

// Note takes a panic that somebody else has recovered from.
func (c *Net) Note(where string, what any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = fmt.Errorf("fault inside robotd, in %s: %v; torque off was asked for; please report this:\n%s",
			where, what, debug.Stack())
	}
	if c.cut != nil {
		c.cut()
	}
}

// Adopt takes the first panic of another process, in the words of that one's net.
func (c *Net) Adopt(words string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = errors.New(words)
	}
	if c.cut != nil {
		c.cut()
	}
}

// Start runs f in a goroutine whose panic cuts torque.
func (c *Net) Start(where string, f func()) {
	go func() {
		defer c.Caught(where)
		f()
	}()
}

// Err is the first panic, or nil.
func (c *Net) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}
