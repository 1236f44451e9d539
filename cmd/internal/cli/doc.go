// Package cli is what the commands have in common on a terminal: how a tree of
// commands is run and how it tells of an error ([Run]), the flag that names a robot,
// progress ([Progress]), results as JSON ([WriteJSON]) and names of files to write
// ([NotOver]).
//
// What is not here: exit codes (package fault), signals (package interrupt), and what
// any command does. A Progress belongs to one goroutine; the rest holds no state.
package cli
