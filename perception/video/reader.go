//go:build opencv && cgo

package video

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"sync"

	"gocv.io/x/gocv"

	"github.com/mitori-robotics/mitori/models/infile"
)

// decoderLog is the environment variable from which OpenCV takes FFmpeg's log
// level.
const decoderLog = "OPENCV_FFMPEG_LOGLEVEL"

// Reader decodes one file.
type Reader struct {
	info    Info
	capture *gocv.VideoCapture
	shown   upright     // how stored pictures are to be shown
	stored  [2]gocv.Mat // a picture as decoded, and with square pixels
	pool    *matPool
	pending []*Frame // decoded by Open or SeekS, not yet handed out
	lastS   float64  // time stamp of the last decoded picture
	counted int      // pictures decoded since the start or the last jump
	moved   bool     // there was a jump
}

// Open opens a video file and decodes its first picture.
func Open(path string) (*Reader, error) { return open(path, probe) }

// File opens the same file again and again; it is probed once.
func File(path string) Opener {
	var once sync.Once
	var shown probed
	var failed error
	return func() (Source, error) {
		r, err := open(path, func(abs, path string) (probed, error) {
			once.Do(func() { shown, failed = probe(abs, path) })
			return shown, failed
		})
		if err != nil {
			return nil, err
		}
		return r, nil
	}
}

func open(path string, probe func(abs, path string) (probed, error)) (*Reader, error) {
	abs, err := checkFile(path)
	if err != nil {
		return nil, err
	}
	shown, err := probe(abs, path)
	if err != nil {
		return nil, err
	}
	// A decoder's complaints about a damaged file are not for users, who get
	// an error in words; whoever wants them sets the variable.
	if _, set := os.LookupEnv(decoderLog); !set {
		if err := os.Setenv(decoderLog, "-8"); err != nil { // AV_LOG_QUIET
			return nil, fmt.Errorf("video: %w", err)
		}
	}
	capture, err := openFile(abs, path)
	if err != nil {
		return nil, err
	}
	// Before a picture is decoded, which takes the memory.
	if err := checkSize(int(capture.Get(gocv.VideoCaptureFrameWidth)), int(capture.Get(gocv.VideoCaptureFrameHeight))); err != nil {
		return nil, errors.Join(infile.Refuse("video: "+path, err), capture.Close())
	}
	r := newReader(capture, shown.upright)
	r.info = Info{Path: path, Seekable: true, FPS: capture.Get(gocv.VideoCaptureFPS)}
	if n := capture.Get(gocv.VideoCaptureFrameCount); n >= 1 && n < 1<<31 {
		r.info.Frames = int(n)
	}
	if err := r.probe(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.info.FocalPx = equivalentFocalPx(shown.lensMm, r.info.WidthPx, r.info.HeightPx)
	return r, nil
}

// turnedByOpenCV is CAP_PROP_ORIENTATION_AUTO, which gocv has no name for.
const turnedByOpenCV = gocv.VideoCaptureProperties(49)

// openFile opens a decoder that gives pictures as they are stored.
func openFile(abs, path string) (*gocv.VideoCapture, error) {
	// The FFmpeg backend only: others would take patterns and devices.
	capture, err := gocv.VideoCaptureFileWithAPI(abs, gocv.VideoCaptureFFmpeg)
	if err != nil {
		return nil, errors.Join(unreadable(path), capture.Close())
	}
	// OpenCV 4.6 would turn a phone's quarter turns the wrong way.
	if capture.Set(turnedByOpenCV, 0); capture.Get(turnedByOpenCV) != 0 {
		return nil, errors.Join(fmt.Errorf("video: %s: this OpenCV turns pictures by itself and cannot be told not to; 4.5 and later can", path), capture.Close())
	}
	return capture, nil
}

func newReader(capture *gocv.VideoCapture, shown upright) *Reader {
	return &Reader{capture: capture, shown: shown, pool: &matPool{}, stored: [2]gocv.Mat{gocv.NewMat(), gocv.NewMat()}}
}

// probe decodes two pictures to learn the size and whether time stamps work.
func (r *Reader) probe() error {
	first, err := r.decode()
	if err != nil {
		return fmt.Errorf("video: %s: it holds no picture that can be decoded", r.info.Path)
	}
	r.info.WidthPx, r.info.HeightPx = first.WidthPx, first.HeightPx
	r.pending = append(r.pending, first)
	knownFPS := r.info.FPS >= 1 && r.info.FPS <= 1000
	if !knownFPS {
		r.info.FPS = 30
	}
	stamp := r.capture.Get(gocv.VideoCapturePosMsec)
	second, err := r.decode()
	if errors.Is(err, io.EOF) { // one picture
		r.info.Seekable, first.TimeS = false, 0
		return nil
	}
	if err != nil {
		return err
	}
	r.pending = append(r.pending, second)
	gapS := (r.capture.Get(gocv.VideoCapturePosMsec) - stamp) / 1000
	r.info.Seekable = gapS > 0 && gapS < 10 && stamp >= 0
	if !knownFPS && gapS > 0 {
		r.info.FPS = 1 / gapS
	}
	if !r.info.Seekable {
		first.TimeS, second.TimeS = 0, 1/r.info.FPS
	}
	return nil
}

// rewind starts the file anew, unless nothing has been handed out yet.
func (r *Reader) rewind() error {
	if !r.moved && len(r.pending) == r.counted {
		return nil
	}
	r.dropPending()
	abs, err := checkFile(r.info.Path)
	if err != nil {
		return err
	}
	capture, err := openFile(abs, r.info.Path)
	if err != nil {
		return fmt.Errorf("%w, but could be before", err)
	}
	r.capture.Close()
	r.capture, r.counted, r.moved = capture, 0, false
	return nil
}

func (r *Reader) dropPending() {
	for _, f := range r.pending {
		f.Release()
	}
	r.pending = nil
}

// Info describes the video.
func (r *Reader) Info() Info { return r.info }

// Next gives the following picture, or io.EOF after the last. Time stamps
// strictly increase.
func (r *Reader) Next() (*Frame, error) {
	f, err := r.take()
	if err != nil {
		return nil, err
	}
	if f.WidthPx != r.info.WidthPx || f.HeightPx != r.info.HeightPx {
		f.Release()
		return nil, fmt.Errorf("video: %s: the picture size changes at %.3f s from %dx%d to %dx%d; legal: one size",
			r.info.Path, f.TimeS, r.info.WidthPx, r.info.HeightPx, f.WidthPx, f.HeightPx)
	}
	return f, nil
}

// SeekS makes the first picture at or after timeS the next one. It jumps near
// and decodes forward; where the container's index proves unreliable, or the
// file has no usable time stamps, it decodes from the start.
func (r *Reader) SeekS(timeS float64) error {
	target := timeS - 0.25/r.info.FPS // time stamps are rounded
	for _, backS := range [...]float64{0.2, 2, math.Inf(1)} {
		start := timeS - backS
		fromStart := !r.info.Seekable || start <= 0
		if fromStart {
			if err := r.rewind(); err != nil {
				return err
			}
		} else {
			r.dropPending()
			r.counted, r.moved = 0, true
			r.capture.Set(gocv.VideoCapturePosMsec, 1000*start)
		}
		found, err := r.forward(target, fromStart)
		if err != nil || found || fromStart {
			return err
		}
	}
	return nil
}

// forward decodes up to the first picture at or after target. It reports false
// at the end of the video, and if already the first picture is so late that
// earlier ones may have been jumped over.
func (r *Reader) forward(target float64, fromStart bool) (bool, error) {
	for first := true; ; first = false {
		f, err := r.take()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if f.TimeS < target {
			f.Release()
			continue
		}
		if first && !fromStart {
			f.Release()
			return false, nil
		}
		r.pending = append([]*Frame{f}, r.pending...)
		return true, nil
	}
}

// take gives the next picture, decoded before or now.
func (r *Reader) take() (*Frame, error) {
	if len(r.pending) == 0 {
		return r.decode()
	}
	f := r.pending[0]
	r.pending = r.pending[1:]
	return f, nil
}

// decode reads one picture and its time.
func (r *Reader) decode() (*Frame, error) {
	m := r.pool.take()
	if !r.readUpright(m) {
		r.pool.give(m)
		return nil, io.EOF
	}
	pix, err := m.DataPtrUint8()
	if err != nil || m.Type() != gocv.MatTypeCV8UC3 || len(pix) != 3*m.Cols()*m.Rows() {
		r.pool.give(m)
		return nil, fmt.Errorf("video: %s: pictures of pixel type %v; legal: three bytes a pixel", r.info.Path, m.Type())
	}
	f := &Frame{WidthPx: m.Cols(), HeightPx: m.Rows(), Pix: pix, release: func() { r.pool.give(m) }}
	if r.info.Seekable {
		f.TimeS = r.capture.Get(gocv.VideoCapturePosMsec) / 1000
	} else {
		f.TimeS = float64(r.counted) / r.info.FPS
	}
	// The last pictures of a stream with B-frames come out of the decoder
	// without a time stamp: they follow at the frame rate.
	if r.counted > 0 && f.TimeS <= r.lastS {
		f.TimeS = r.lastS + 1/r.info.FPS
	}
	r.lastS = f.TimeS
	r.counted++
	return f, nil
}

// readUpright decodes the next picture into m, as a player would show it; it
// reports false at the end.
func (r *Reader) readUpright(m *gocv.Mat) bool {
	u, now := r.shown, &r.stored[0]
	if u == (upright{pixelAspect: 1}) {
		return r.capture.Read(m) && !m.Empty()
	}
	if !r.capture.Read(now) || now.Empty() {
		return false
	}
	if w, h := u.square(now.Cols(), now.Rows()); w != now.Cols() || h != now.Rows() {
		gocv.Resize(*now, &r.stored[1], image.Pt(w, h), 0, 0, gocv.InterpolationLinear)
		now = &r.stored[1]
	}
	switch {
	case u.transpose && u.mirrorX && u.mirrorY:
		gocv.Transpose(*now, m)
		gocv.Flip(*m, m, -1)
	case u.transpose && u.mirrorX:
		gocv.Rotate(*now, m, gocv.Rotate90Clockwise)
	case u.transpose && u.mirrorY:
		gocv.Rotate(*now, m, gocv.Rotate90CounterClockwise)
	case u.transpose:
		gocv.Transpose(*now, m)
	case u.mirrorX && u.mirrorY:
		gocv.Flip(*now, m, -1)
	case u.mirrorX:
		gocv.Flip(*now, m, 1)
	case u.mirrorY:
		gocv.Flip(*now, m, 0)
	default:
		now.CopyTo(m)
	}
	return true
}

// Close frees the decoder and all pictures that have been released.
func (r *Reader) Close() error {
	r.dropPending()
	return errors.Join(r.capture.Close(), r.stored[0].Close(), r.stored[1].Close(), r.pool.close())
}

// matPool keeps picture buffers for reuse. Frames come back from other
// goroutines, some of them after Close.
type matPool struct {
	mu     sync.Mutex
	free   []*gocv.Mat
	closed bool
}

func (p *matPool) take() *gocv.Mat {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		m := p.free[n-1]
		p.free = p.free[:n-1]
		return m
	}
	m := gocv.NewMat()
	return &m
}

func (p *matPool) give(m *gocv.Mat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		m.Close()
		return
	}
	p.free = append(p.free, m)
}

func (p *matPool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, m := range p.free {
		errs = append(errs, m.Close())
	}
	p.free = nil
	return errors.Join(errs...)
}
