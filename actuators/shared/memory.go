package shared

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps size bytes of f, shared with whoever else maps them.
func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (r *Region) unmap() error {
	mem := r.mem
	r.mem = nil
	return unix.Munmap(mem)
}
