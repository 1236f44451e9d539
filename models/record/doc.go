// Package record holds the schemas of what a run leaves for programs and people:
// robotd's statistics ([Stats], stats.json), its state on the command link
// ([Status], [Event]), the simulator's verdict ([Verdict]) and the summary of the
// path from a video to a flight ([Summary], summary.json). Whoever writes one of
// them and whoever reads it use these types; docs/formats describes the same keys,
// and a test compares the two.
//
// Keys are snake_case and end in their unit. A reader ignores keys that it does
// not know; a writer never gives a known key another meaning: it raises "schema".
//
// What is not here: measuring anything, and what a value means for a decision.
// Values belong to whoever made them; nothing here is safe for concurrent use.
package record

import (
	"encoding/json"
	"io"

	"github.com/mitori-robotics/mitori/models/atomicfile"
)

// save writes v as indented JSON, complete or not at all.
func save(name string, v any) error {
	return atomicfile.Write(name, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}
