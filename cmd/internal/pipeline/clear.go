package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Clear removes results of an earlier run from a folder, so that a run that fails
// cannot show them as its own. Files of other names are not touched. A name that is
// taken by something that no stage ever wrote (a folder, a device) is an error.
func Clear(folder string, names ...string) error {
	for _, name := range names {
		path := filepath.Join(folder, name)
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if mode := st.Mode(); !mode.IsRegular() && mode&fs.ModeSymlink == 0 {
			return fmt.Errorf("%s is in the way: a file of this name is written there, and it is none (%s); move it, or choose another folder with -o", path, mode.Type())
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
