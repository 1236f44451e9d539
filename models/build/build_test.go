package build_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/build"
)

func TestID(t *testing.T) {
	id := build.ID()
	if build.Version() == "" || !strings.HasPrefix(id, build.Version()+" ") || !strings.Contains(id,
		" "+runtime.GOARCH) || strings.ContainsAny(id, "\n\r") {
		t.Errorf("%q", id)
	}
	if build.Known() && !strings.Contains(id, ".") && len(id) < 40 {
		t.Errorf("%q is said to stand for a commit", id)
	}
}
