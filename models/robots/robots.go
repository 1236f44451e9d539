// Package robots embeds the robots that ship with mitori: one folder each with
// robot.yaml (the description) and an MJCF scene. Use models/robot to load them.
package robots

import "embed"

// FS holds <name>/robot.yaml and the MJCF beside it.
//
//go:embed */*.yaml */*.xml
var FS embed.FS
