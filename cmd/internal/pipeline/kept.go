package pipeline

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mitori-robotics/mitori/models/atomicfile"
	"github.com/mitori-robotics/mitori/models/infile"
)

// Results lie in a folder of their own, each in a file that is named after its stage
// and inputs and begins with the SHA-256 of what follows.
const (
	keptFolder   = ".mitori-stages"
	maxKeptBytes = 64 << 20
)

// recall returns the result that the same inputs have led to in this run or, where it
// resumes, in an earlier one. What is damaged or gone is made anew.
func recall[Out any](r *Run, s Stage[Out], key string) (out Out, ok bool) {
	if key == "" {
		return out, false
	}
	if made, ok := r.made[key].(Out); ok {
		return made, true
	}
	if s.Kept == nil || !r.Resume || r.Folder == "" {
		return out, false
	}
	text, err := infile.Read(r.file(s.Name, key), maxKeptBytes)
	if err != nil || len(text) < len(key)/2 {
		return out, false
	}
	content := text[len(key)/2:]
	if !bytes.Equal(digest(content), text[:len(key)/2]) {
		return out, false
	}
	out, err = s.Kept.Read(bytes.NewReader(content))
	if err != nil {
		return out, false
	}
	r.remember(key, out)
	return out, true
}

// keep notes a result for the rest of the run and, if the stage says how, for a run
// that resumes.
func keep[Out any](r *Run, s Stage[Out], key string, out Out) error {
	if key == "" {
		return nil
	}
	r.remember(key, out)
	if s.Kept == nil || r.Folder == "" {
		return nil
	}
	var b bytes.Buffer
	if err := s.Kept.Write(&b, out); err != nil {
		return err
	}
	return atomicfile.WriteBytes(r.file(s.Name, key), append(digest(b.Bytes()), b.Bytes()...))
}

func (r *Run) remember(key string, out any) {
	if r.made == nil {
		r.made = map[string]any{}
	}
	r.made[key] = out
}

func (r *Run) file(stage, key string) string {
	return filepath.Join(r.Folder, keptFolder, stage+"-"+key[:16])
}

// Forget removes the results that are kept in Folder: at the end of a run that is
// done, or at the start of one that does not resume. Other files there stay.
func (r *Run) Forget() error {
	if r.Folder == "" {
		return nil
	}
	err := os.RemoveAll(filepath.Join(r.Folder, keptFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
