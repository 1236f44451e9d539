package main

import "os"

// notOver refuses an output that is one of the files that are read, under whatever
// name: the result would take its source's place. An output of no name is none.
func notOver(out string, inputs ...string) error {
	to, _ := os.Stat(out)
	if out == "" || to == nil {
		return nil // it is not there yet, or the writer will say what is wrong
	}
	for _, in := range inputs {
		if from, err := os.Stat(in); err == nil && from.Mode().IsRegular() && os.SameFile(from, to) {
			return usageError("%s is read and would be overwritten; name another file to write", in)
		}
	}
	return nil
}
