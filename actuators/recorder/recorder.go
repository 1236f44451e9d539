// Package recorder is the flight recorder: it writes what the control loop
// leaves in its trace ring to an MCAP file (https://mcap.dev) that Foxglove and
// the mcap tools open.
//
// Topics: /robot/tick (mitori.Tick, everything), /robot/servos (mitori.Servos, slow
// registers by joint name), /robot/joints (foxglove.JointStates), /tf (foxglove.FrameTransform, the trunk's tilt) and
// /robot/log (foxglove.Log, every transition, refusal and warning). The header
// metadata holds what was flying: robot and policy hashes, limits, version.
//
// A file is useful whenever it ends: a chunk is closed and written at once after
// 80 ms of ticks, so kill -9 and a cut anywhere lose less than 100 ms of what was
// recorded before, and [Read] takes what is whole of a truncated file.
//
// What decided a tick is recorded with it, bit for bit, so that package replay can
// decide all of it again.
//
// What is not here: the ring (package trace) and deciding what a lost log means
// (package mode). A Recorder belongs to one goroutine, never the loop's.
package recorder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/foxglove/mcap/go/mcap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mitori-robotics/mitori/actuators/recorder/internal/schema"
	"github.com/mitori-robotics/mitori/actuators/trace"
)

// Header says what was flying. Every value is a string, since MCAP metadata
// holds strings only.
type Header struct {
	Joints []string          // names in canonical order
	RateHz int               // ticks per second
	Facts  map[string]string // robot, robot_hash, policy, policy_hash, config, version, ...
}

// metadataName is the MCAP metadata record that holds the facts.
const metadataName = "mitori.flight"

// minFreeBytes is what a disk must have left before a robot may be armed: ten
// minutes at full detail.
const minFreeBytes = 64 << 20

// Topics that are read back.
const (
	topicTick = "/robot/tick"
	topicLog  = "/robot/log"
)

// Channels of the file.
const (
	chTick uint16 = iota + 1
	chJoints
	chTransform
	chLog
	chServos
)

// Recorder writes one file.
type Recorder struct {
	name     string
	out      io.Writer
	file     *os.File // nil in tests
	w        *mcap.Writer
	opts     *mcap.WriterOptions // w looks at ChunkSize with every message
	chunk    chunk
	index    index
	pending  int64 // bytes that wait for the end of their chunk, at most
	messages *messages
	buf      []byte
	seq      uint32
	synced   time.Time
	err      error
}

// maxNumber bounds the search for a name that is free.
const maxNumber = 100_000

// open makes the file. It never touches an earlier recording: where name is
// taken the first free one of name-2, name-3, ... is used, for the recording of a
// crash must outlive the restart. Only devices are written to as they are.
func open(name string) (*os.File, error) {
	if st, err := os.Stat(name); err == nil && st.Mode()&os.ModeDevice != 0 {
		return os.OpenFile(name, os.O_WRONLY, 0)
	} else if err == nil && st.IsDir() {
		return nil, fmt.Errorf("it is a folder; name a file in it: %w", syscall.EISDIR)
	}
	ext := filepath.Ext(name)
	try := name
	for n := 2; n < maxNumber; n++ {
		f, err := os.OpenFile(try, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil { // whoever clears away old recordings sees by the lock that this one is being written
			_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		}
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
		try = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
	}
	return nil, fmt.Errorf("%d recordings lie there already; move them away: %w", maxNumber, os.ErrExist)
}

// Create starts a recording. Missing folders are made. An existing file is never
// overwritten: the recording then gets a number, and Name tells which. The error
// names the file and says what to do; a disk that is nearly full is refused.
func Create(name string, h Header) (*Recorder, error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, explain(name, err)
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err == nil {
		if free := st.Bavail * uint64(st.Bsize); free < minFreeBytes && st.Blocks > 0 {
			return nil, fmt.Errorf("recorder: %s: %d MB are free; legal: %d MB and more; make room, choose another place with --record, or fly without with --record none",
				name, free>>20, int64(minFreeBytes)>>20)
		}
	}
	f, err := open(name)
	if err != nil {
		return nil, explain(name, err)
	}
	name = f.Name()
	r, err := start(name, f, h)
	if err != nil {
		if st, e := f.Stat(); e == nil && st.Mode().IsRegular() { // never a device
			os.Remove(name)
		}
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// start writes everything before the first tick.
func start(name string, out io.Writer, h Header) (*Recorder, error) {
	r := &Recorder{name: name, out: out, messages: newMessages(h.Joints), synced: time.Now(), chunk: newChunk(h.RateHz)}
	perTick := int64(800 + len(h.Joints)*(16*8+1+40))
	r.pending = perTick * (int64(chunkTime.Seconds()*float64(h.RateHz)) + 2)
	r.opts = &mcap.WriterOptions{
		IncludeCRC: true, Chunked: true, ChunkSize: maxChunk / 2,
		Compression: mcap.CompressionZSTD, CompressionLevel: mcap.CompressionLevelFastest,
	}
	w, err := mcap.NewWriter(out, r.opts)
	if err != nil {
		return nil, explain(name, err)
	}
	r.w = w
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	keep(w.WriteHeader(&mcap.Header{Profile: "", Library: "mitori robotd"}))
	facts := map[string]string{"joints": joinNames(h.Joints), "rate_hz": fmt.Sprint(h.RateHz), "schema": "2"}
	for k, v := range h.Facts {
		facts[k] = v
	}
	keep(w.WriteMetadata(&mcap.Metadata{Name: metadataName, Metadata: facts}))
	for i, c := range []struct {
		topic, message string
		file           protoreflect.FileDescriptor
	}{
		{topicTick, "mitori.Tick", schema.File_tick_proto},
		{"/robot/joints", "foxglove.JointStates", schema.File_foxglove_proto},
		{"/tf", "foxglove.FrameTransform", schema.File_foxglove_proto},
		{topicLog, "foxglove.Log", schema.File_foxglove_proto},
		{"/robot/servos", "mitori.Servos", schema.File_tick_proto},
	} {
		id := uint16(i + 1)
		data, e := descriptors(c.file)
		keep(e)
		keep(w.WriteSchema(&mcap.Schema{ID: id, Name: c.message, Encoding: "protobuf", Data: data}))
		keep(w.WriteChannel(&mcap.Channel{ID: id, SchemaID: id, Topic: c.topic, MessageEncoding: "protobuf"}))
	}
	if err != nil {
		return nil, explain(name, err)
	}
	return r, nil
}

// Add records one tick, and a log line for a transition or a refusal, with the detail
// that says which joints and values are behind it. After the first failure it keeps
// returning that failure.
func (r *Recorder) Add(s *trace.Sample, detail string) error {
	m := r.messages
	m.setTick(s, detail)
	m.setJoints(s)
	m.setTilt(s)
	r.message(chJoints, s.WallNs, m.joints)
	r.message(chTransform, s.WallNs, m.tilt)
	if m.servos.due(s) {
		r.message(chServos, s.WallNs, m.servos.message)
	}
	if s.From != s.Mode {
		l := levelInfo
		if _, ok := s.Why.Condition(); ok {
			l = levelError
		}
		r.log(s.WallNs, l, fmt.Sprintf("%v -> %v: %v%s", s.From, s.Mode, s.Why, inBrackets(detail)))
	}
	if s.Refused {
		text := fmt.Sprintf("%v refused: %v", s.Request, s.Why)
		if s.Failing != 0 {
			text += ": " + s.Failing.String()
		}
		r.log(s.WallNs, levelWarning, text+inBrackets(detail))
	}
	if r.chunk.endsWith(s.MonoNs) {
		size := r.opts.ChunkSize
		r.opts.ChunkSize = 0 // the chunk ends with the next message, whatever its size
		defer func() { r.opts.ChunkSize = size }()
	}
	r.message(chTick, s.WallNs, m.tick)
	r.index.take(r.w)
	r.sync()
	return r.err
}

// inBrackets is what follows a statement that it explains.
func inBrackets(detail string) string {
	if detail == "" {
		return ""
	}
	return " (" + detail + ")"
}

func (r *Recorder) log(ns int64, level schema.Log_Level, text string) {
	r.messages.setLog(level, text)
	r.message(chLog, ns, r.messages.log)
}

func (r *Recorder) message(channel uint16, ns int64, m proto.Message) {
	if r.err != nil {
		return
	}
	r.messages.setTime(ns)
	data, err := proto.MarshalOptions{}.MarshalAppend(r.buf[:0], m)
	if err != nil { // no text but ASCII or cleaned is in them
		r.err = explain(r.name, err)
		return
	}
	r.buf = data
	r.seq++
	if err := r.w.WriteMessage(&mcap.Message{
		ChannelID: channel, Sequence: r.seq, LogTime: uint64(ns), PublishTime: uint64(ns), Data: data,
	}); err != nil {
		r.err = explain(r.name, err)
	}
}

// sync hands the file to the disk once a second, so that a power cut loses
// about as much as a kill.
func (r *Recorder) sync() {
	if r.file == nil || r.err != nil || time.Since(r.synced) < time.Second {
		return
	}
	r.synced = time.Now()
	if err := r.file.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // devices cannot sync
		r.err = explain(r.name, err)
	}
}

// What Close writes besides the last chunk: the index of each chunk, and once schemas, channels and statistics.
const (
	indexBytes   = 160
	summaryBytes = 16 << 10
)

// Size is how many bytes the file has when it is closed now, at most.
func (r *Recorder) Size() int64 {
	return int64(r.w.Offset()) + r.pending + indexBytes*int64(len(r.index.chunks)+len(r.w.ChunkIndexes)) + summaryBytes
}

// Name is the file's name.
func (r *Recorder) Name() string { return r.name }

// Close writes index and statistics and closes the file.
func (r *Recorder) Close() error {
	if r.err == nil {
		r.index.give(r.w)
		if err := r.w.Close(); err != nil {
			r.err = explain(r.name, err)
		}
	}
	if r.file != nil {
		if err := r.file.Close(); err != nil && r.err == nil {
			r.err = explain(r.name, err)
		}
		r.file = nil
	}
	return r.err
}

// explain names the file and what to do about the usual causes.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("recorder: %s: the disk is full: make room, or choose another place with --record: %w", name, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("recorder: %s: not allowed to write there; choose another place with --record: %w", name, err)
	}
	return fmt.Errorf("recorder: %s: %w", name, err)
}
