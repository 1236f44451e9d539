package main

import (
	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/cli"
	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

func usageError(format string, args ...any) error { return fault.Usage(format, args...) }
func refused(format string, args ...any) error    { return fault.Refuse(format, args...) }
func stoppable(c *cobra.Command) *cobra.Command   { return cli.Stoppable(c) }
