// Package seebench measures how well people are seen in videos: a committed matrix of
// clips ([Matrix]) with exact truth is rendered, extracted as `mitori extract` does it,
// and judged row by row ([Bench.Run]). Each row says which verdicts are right for it and
// which parts of the body must be named unseen. Results are rounded, so that two runs can
// be held against each other ([Against]).
//
// It lies here because it joins the demonstrator (package sim) with the very stage that
// the commands run (package pipeline/extract). What is not here: how far two motions are
// apart (models/metrics), and tables for people (package show).
//
// A Bench may run rows in parallel; its other methods belong to one goroutine.
package seebench
