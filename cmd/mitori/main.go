// Command mitori turns a video of a person into a balanced, tested policy for a
// servo humanoid. Each sub-command lives in a file of its own; this file only
// starts them and turns errors into exit codes.
package main

import (
	"os"

	"github.com/mitori-robotics/mitori/policy/train/blas"
)

func main() {
	// The restart with better kernels is an optimisation: without it everything works, slower.
	_ = blas.EnsureCoreType()
	ctx, stop := untilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
