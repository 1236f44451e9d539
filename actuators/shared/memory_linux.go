package shared

import (
	"os"

	"golang.org/x/sys/unix"
)

// seals fix the size of a region for good: a process that finds it shorter than mapped
// would end at its next look.
const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// anonymous is a file of that size that no folder has and no disk holds.
func anonymous(size int) (*os.File, error) {
	fd, err := unix.MemfdCreate("robotd", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "robotd")
	if err = unix.Ftruncate(fd, int64(size)); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// fixed says that f cannot change its size.
func fixed(f *os.File) bool {
	got, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	return err == nil && got&seals == seals
}
