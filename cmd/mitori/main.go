// Command mitori turns a video of a person into a balanced, tested policy for a
// servo humanoid. Each sub-command lives in a file of its own; this file only
// starts them and turns errors into exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
