package train

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mitori-robotics/mitori/models/infile"
)

// CheckReplaceable refuses a name for checkpoints that is taken by a file which is
// none: a training would overwrite it. A device is left to the writer.
func CheckReplaceable(name string) error {
	st, err := os.Stat(name)
	if name == "" || err != nil || !st.Mode().IsRegular() || st.Size() == 0 {
		return nil
	}
	f, err := infile.Open(name, maxCheckpointBytes)
	if err != nil && !errors.Is(err, infile.ErrUnusable) {
		return err
	}
	head := make([]byte, len(checkpointMagic))
	if err == nil {
		defer f.Close()
		_, err = io.ReadFull(f, head)
	}
	if err != nil || !bytes.Equal(head, []byte(checkpointMagic)) {
		return infile.Refuse(name, fmt.Errorf("it is in the way of the checkpoint and is no checkpoint itself; move it, or name another file with --checkpoint"))
	}
	return nil
}
