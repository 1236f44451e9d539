//go:build !linux

package gpioline

// Contact is an open line; there is none.
type Contact struct{}

// Open is refused.
func Open(string, int, bool) (*Contact, error) { return nil, ErrNotHere }

// Closed is never true.
func (*Contact) Closed() (bool, error) { return false, ErrNotHere }

// Close does nothing.
func (*Contact) Close() error { return nil }
