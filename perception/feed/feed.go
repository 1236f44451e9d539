// Package feed gives the pictures of live sources as they come: a camera, a stream
// from the network, raw frames through a pipe, and a file at its own pace.
//
// Cameras and streams are read by the program ffmpeg, a process of its own: it can be
// ended when it hangs, it is told which protocols it may speak, and what it does not
// understand ends it and not us. Nothing is opened but what the user named: a stream
// only by an address with a scheme, and what a stream names in turn only if it lies in
// the network, too.
//
// What is not here: dropping pictures that nobody could look at in time (perception/live
// does), and looking at them. A Source belongs to one goroutine; only Stop may be called
// from others.
package feed

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/mitori-robotics/mitori/models/infile"
	"github.com/mitori-robotics/mitori/perception/video"
)

// Source gives pictures as they come.
type Source interface {
	// Next waits for the next picture; io.EOF after the last. Time stamps, seconds,
	// strictly increase.
	Next() (*video.Frame, error)
	// Stop ends a Next that waits, and all later ones; not that of a pipe.
	Stop()
	// Close frees what Next needs.
	Close() error
}

// ErrName reports a source, or a layout of raw frames, whose name means nothing.
var ErrName = errors.New("feed: a name that means nothing")

// misnamed is an ErrName in words.
type misnamed struct{ text string }

func (m *misnamed) Error() string        { return m.text }
func (m *misnamed) Is(target error) bool { return target == ErrName }

func nameFault(format string, args ...any) error { return &misnamed{fmt.Sprintf(format, args...)} }

// ErrGone reports a camera or a stream that was there and is no more.
var ErrGone = errors.New("it is gone")

// Kind is what pictures come from.
type Kind int

// The kinds.
const (
	Pipe   Kind = iota // raw frames or YUV4MPEG2 through standard input
	Camera             // a Video4Linux device
	Stream             // an address in the network
	File               // a video file, played at its own pace
)

// Place is where pictures come from.
type Place struct {
	Kind Kind
	Name string  // "-", a device, an address, or a path
	Raw  *Format // of a pipe; nil: the pipe says so itself
}

// String names the place for people, without what an address holds of names and secrets.
func (p Place) String() string {
	switch p.Kind {
	case Pipe:
		return "standard input"
	case Stream:
		if u, err := url.Parse(p.Name); err == nil {
			u.User, u.RawQuery, u.Fragment = nil, "", ""
			return u.String()
		}
	}
	return p.Name
}

// Lasting tells whether the place can come back after it was gone.
func (p Place) Lasting() bool { return p.Kind == Camera || p.Kind == Stream }

// schemes are the addresses that are opened, with the protocols that may then be
// spoken: none that reads this machine.
var schemes = map[string]string{
	"http": webProtocols, "https": webProtocols,
	"rtsp": "rtsp,rtp,srtp,udp,tcp,tls,crypto", "rtsps": "rtsp,rtp,srtp,udp,tcp,tls,crypto",
}

const webProtocols = "http,https,httpproxy,tcp,tls,crypto"

var cameraNumber = regexp.MustCompile(`^[0-9]{1,3}$`)

// Parse reads the name of a source, and the description of raw frames ("640x480@30:bgr24",
// empty if there is none). It looks at files and devices, and opens none.
func Parse(name, raw string) (Place, error) {
	if name == "-" {
		p := Place{Kind: Pipe, Name: name}
		if raw != "" {
			f, err := ParseFormat(raw)
			if err != nil {
				return Place{}, err
			}
			p.Raw = &f
		}
		return p, nil
	}
	if raw != "" {
		return Place{}, nameFault("feed: raw frames come through standard input: legal with them: the source -, not %q", name)
	}
	if cameraNumber.MatchString(name) {
		name = "/dev/video" + strings.TrimLeft(name[:len(name)-1], "0") + name[len(name)-1:]
	}
	if scheme, rest, ok := strings.Cut(name, "://"); ok {
		if schemes[strings.ToLower(scheme)] == "" {
			return Place{}, nameFault("feed: %q: streams by %q are not read; legal: http, https, rtsp, rtsps", name, scheme)
		}
		if u, err := url.Parse(name); err != nil || u.Host == "" || rest == "" {
			return Place{}, nameFault("feed: %q is no address; legal: one such as rtsp://HOST:554/PATH", name)
		}
		return Place{Kind: Stream, Name: name}, nil
	}
	return parsePath(name)
}

// videoMajor is the number of Video4Linux devices (Documentation/admin-guide/devices.txt).
const videoMajor = 81

// parsePath tells a camera from a file.
func parsePath(name string) (Place, error) {
	st, err := os.Stat(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "/dev/video") {
			return Place{}, fmt.Errorf("feed: there is no camera %s; here are: %s", name, cameras())
		}
		return Place{}, fmt.Errorf("feed: %w", err)
	}
	switch m := st.Mode(); {
	case m.IsRegular():
		return Place{Kind: File, Name: name}, nil
	case m&fs.ModeNamedPipe != 0:
		return Place{}, infile.Refuse("feed: "+name, fmt.Errorf("it is a FIFO, which could be waited for in vain; frames come through standard input: mitori extract --live - < %s", name))
	case m&fs.ModeCharDevice != 0:
		sys, ok := st.Sys().(*syscall.Stat_t)
		if ok && major(sys.Rdev) == videoMajor {
			return Place{Kind: Camera, Name: name}, nil
		}
		return Place{}, infile.Refuse("feed: "+name, fmt.Errorf("it is a device, but no camera; cameras here: %s", cameras()))
	}
	return Place{}, infile.Refuse("feed: "+name, fmt.Errorf("it is %s; legal: a camera, an address, a video file, or -", infile.Kind(st.Mode())))
}

// major is the first half of a device's number (glibc, gnu_dev_major).
func major(dev uint64) uint64 { return dev>>8&0xfff | dev>>32&^0xfff }

// cameras lists the camera devices of this machine.
func cameras() string {
	found, err := filepath.Glob("/dev/video*")
	if err != nil || len(found) == 0 {
		return "none"
	}
	slices.Sort(found)
	return strings.Join(found, ", ")
}
