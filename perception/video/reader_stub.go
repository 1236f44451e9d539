//go:build !(opencv && cgo)

package video

// Reader decodes one file; this build has no decoder.
type Reader struct{}

// Open checks the file and returns ErrNotBuilt.
func Open(path string) (*Reader, error) {
	if _, err := checkFile(path); err != nil {
		return nil, err
	}
	return nil, ErrNotBuilt
}

// File returns an Opener that returns what Open does.
func File(path string) Opener { return func() (Source, error) { return Open(path) } }

// Info describes nothing.
func (r *Reader) Info() Info { return Info{} }

// Next returns ErrNotBuilt.
func (r *Reader) Next() (*Frame, error) { return nil, ErrNotBuilt }

// SeekS returns ErrNotBuilt.
func (r *Reader) SeekS(float64) error { return ErrNotBuilt }

// Close does nothing.
func (r *Reader) Close() error { return nil }
