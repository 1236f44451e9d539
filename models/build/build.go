// Package build says which program this is: two programs with the same [ID], and [Known], make
// the same decisions from the same input. It holds no state.
package build

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// ID is the version of this module with the commit that it was built from ("true" after it:
// with changes that are in no commit), and the processor: compilers join multiplication and
// addition on some, which rounds otherwise.
func ID() string { return Version() + " " + Processor() }

// Version is the version of this module with its commit, "unknown" where Go keeps none.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			v += " " + s.Value
		}
	}
	return strings.TrimSpace(v)
}

// Known reports whether Version stands for one state of the sources: the commit is known, and
// nothing was changed since.
func Known() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	commit := false
	for _, s := range info.Settings {
		if s.Key == "vcs.modified" && s.Value == "true" {
			return false
		}
		commit = commit || s.Key == "vcs.revision" && s.Value != ""
	}
	return commit
}

// Processor is the architecture, with its level where one was chosen.
func Processor() string {
	arch := runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if strings.EqualFold(s.Key, "GO"+arch) && s.Value != "" {
				arch += "/" + s.Value
			}
		}
	}
	return arch
}
