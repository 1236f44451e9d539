// Package show words results for people: one function for each kind of result, which
// writes lines of text, the important ones first.
//
// What is not here: computing anything, and progress (package cli). All functions write
// to the writer that they are given and hold no state.
package show
