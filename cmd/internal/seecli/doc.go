// Package seecli is "mitori demonstrate", "mitori cameras" and "mitori bench": films with exact truth, calibrations of
// several cameras, and how well people are seen, as flags around sim/demonstrator, perception/board, perception/calib and
// cmd/internal/seebench.
//
// What is not here: extraction (cmd/internal/pipeline/extract). Each command is one goroutine.
package seecli
