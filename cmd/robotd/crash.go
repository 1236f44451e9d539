package main

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// crash is where a panic of any goroutine of robotd ends. The process must not
// die of it at once, as Go would have it: the servos would hold with torque on.
// It remembers the first panic, asks for torque-off, and lets the run end as
// after an e-stop, with the panic as its error.
//
// Goroutines of other people's packages are out of its reach.
type crash struct {
	mu    sync.Mutex
	first error
	cut   func() // nil while no servo can carry torque
}

// arm says how to get torque off from now on; it must not block.
func (c *crash) arm(cut func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if c.first != nil && cut != nil {
		cut()
	}
}

// caught ends a panic of this goroutine; use it as a deferred call.
func (c *crash) caught(where string) {
	if r := recover(); r != nil {
		c.note(where, r)
	}
}

// note takes a panic that somebody else has recovered from.
func (c *crash) note(where string, what any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = fmt.Errorf("fault inside robotd, in %s: %v; torque off was asked for; please report this:\n%s", where, what, debug.Stack())
	}
	if c.cut != nil {
		c.cut()
	}
}

// start runs f in a goroutine whose panic cuts torque.
func (c *crash) start(where string, f func()) {
	go func() {
		defer c.caught(where)
		f()
	}()
}

// err is the first panic, or nil.
func (c *crash) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}
