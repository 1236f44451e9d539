package npz

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mitori-robotics/mitori/models/infile"
)

// Limits on an archive. An hour of human motion at 60 frames a second takes 300
// MB; real numbers hardly compress, so what grows a hundredfold holds none.
const (
	maxFileBytes    = 512 << 20
	maxMemoryBytes  = 512 << 20
	freeMemoryBytes = 64 << 20 // allowed without a look at the ratio
	maxRatio        = 100
	maxMembers      = 1000
)

// Load reads the named members of an archive, all if none is named; those that are
// not there are left out. Errors name the file and the member; a file that is no
// such archive is infile.ErrUnusable.
func Load(name string, members ...string) (Archive, error) {
	b, err := infile.Read(name, maxFileBytes)
	if err != nil {
		return nil, err
	}
	a, err := Read(b, members...)
	if err != nil {
		return nil, infile.Refuse(name, err)
	}
	return a, nil
}

// Read is Load for an archive held in memory.
func Read(b []byte, members ...string) (Archive, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("npz: not a zip archive (truncated?): %w", err)
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("npz: %d members; legal: at most %d", len(z.File), maxMembers)
	}
	left := &budget{bytes: min(maxMemoryBytes, max(freeMemoryBytes, maxRatio*int64(len(b))))}
	a, seen := Archive{}, map[string]bool{}
	for _, f := range z.File {
		// Readers differ in which of two they take: there must be one.
		if seen[f.Name] {
			return nil, fmt.Errorf("npz: member %q is there twice", f.Name)
		}
		seen[f.Name] = true
		n, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok || len(members) > 0 && !slices.Contains(members, n) {
			continue
		}
		if a[n], err = readMember(f, left); err != nil {
			return nil, fmt.Errorf("npz: member %q: %w", n, err)
		}
	}
	return a, nil
}

func readMember(f *zip.File, left *budget) (Array, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	arr, err := readNpy(r, left)
	// The checksum stands behind the last byte.
	if _, end := io.Copy(io.Discard, io.LimitReader(r, 1<<16)); err == nil {
		err = end
	}
	return arr, errors.Join(err, r.Close())
}

// budget is the memory that an archive may still take.
type budget struct{ bytes int64 }

// take reserves count items of size bytes.
func (b *budget) take(count, size int64) error {
	if size > 0 && count > b.bytes/size {
		return fmt.Errorf("it would take %d values of %d bytes in memory, more than this file may (it holds next to nothing, or more than %d MB)", count, size, maxMemoryBytes>>20)
	}
	b.bytes -= count * size
	return nil
}

// Get returns the named numeric member after checking its shape; a negative entry
// in shape accepts any length.
func (a Archive) Get(name string, shape ...int) (Array, error) {
	arr, err := a.shaped(name, shape)
	if err == nil && arr.Dtype == "U" {
		return Array{}, fmt.Errorf("npz: member %q holds text; numbers are needed", name)
	}
	return arr, err
}

// GetText is Get for a member that holds text.
func (a Archive) GetText(name string, shape ...int) ([]string, error) {
	arr, err := a.shaped(name, shape)
	if err == nil && arr.Dtype != "U" {
		return nil, fmt.Errorf("npz: member %q holds numbers; text is needed", name)
	}
	return arr.Text, err
}

func (a Archive) shaped(name string, shape []int) (Array, error) {
	arr, ok := a[name]
	if !ok {
		return Array{}, fmt.Errorf("npz: no member %q; present: %s", name, strings.Join(a.names(), ", "))
	}
	same := len(arr.Shape) == len(shape)
	for i := 0; same && i < len(shape); i++ {
		same = shape[i] < 0 || arr.Shape[i] == shape[i]
	}
	if !same {
		return Array{}, fmt.Errorf("npz: member %q has shape %v; legal: %v (-1 = any)", name, arr.Shape, shape)
	}
	return arr, nil
}
