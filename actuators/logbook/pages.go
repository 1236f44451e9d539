package logbook

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mitori-robotics/mitori/actuators/recorder"
)

// pages are the files that a book may have written.
type pages struct {
	dir   string
	names *regexp.Regexp
	robot string
}

func newPages(cfg Config) pages {
	p := pages{dir: cfg.Path, robot: cfg.Robot, names: regexp.MustCompile(`^\d{8}T\d{6}Z(-\d+)?\` + ext + `$`)}
	if !cfg.Folder {
		base, e := stem(cfg.Path)
		p.dir, p.names = filepath.Dir(cfg.Path), regexp.MustCompile("^"+regexp.QuoteMeta(base)+`(-\d+)?`+regexp.QuoteMeta(e)+"$")
	}
	return p
}

// page is one of them.
type page struct {
	name string
	size int64
	at   time.Time // last written
}

// list returns the recordings of this robot that carry the book's name, oldest first. Links are no recordings, and what
// cannot be read is somebody else's.
func (p pages) list() (all []page) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name := filepath.Join(p.dir, e.Name())
		st, err := os.Lstat(name)
		if err != nil || !st.Mode().IsRegular() || !p.names.MatchString(e.Name()) {
			continue
		}
		if facts, err := recorder.Facts(name); err != nil || facts["robot"] != p.robot {
			continue
		}
		all = append(all, page{name, st.Size(), st.ModTime()})
	}
	slices.SortFunc(all, func(a, b page) int { // -10 comes after -9
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	return all
}

// trim removes the oldest files until the rest has keep bytes at most, and returns which are gone, and what could not be
// removed. A file that is being written stays.
func (p pages) trim(keep int64) (gone []string, failed error) {
	all := p.list()
	total := int64(0)
	for _, f := range all {
		total += f.size
	}
	for _, f := range all {
		if total <= keep {
			break
		}
		err := unlink(f.name)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue // somebody writes it
		}
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		gone, total = append(gone, f.name), total-f.size
	}
	return gone, failed
}

// unlink removes a file that nobody has locked, as recorders do with theirs.
func unlink(name string) error {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	return os.Remove(name)
}
