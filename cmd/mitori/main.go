// Command mitori turns a video of a person into a balanced, tested policy for a
// servo humanoid. Each sub-command lives in a file of its own; this file only
// starts them and turns errors into exit codes.
package main

import (
	"os"
)

func main() {
	ctx, stop := untilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
