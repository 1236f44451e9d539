package recorder

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/foxglove/mcap/go/mcap"

	"github.com/mitori-robotics/mitori/models/infile"
)

// LogLine is one entry of /robot/log.
type LogLine struct {
	TimeNs int64
	Text   string
}

// Flight is a recording in memory.
type Flight struct {
	Facts     map[string]string
	Joints    []string
	RateHz    int
	Ticks     []*Tick
	Log       []LogLine
	Truncated bool  // the file ends in the middle: the recorder was killed
	Damage    error // what is wrong where it ends, if that is no mere cut
}

// Open reads a recording, whole or truncated.
func Open(name string) (*Flight, error) {
	f := &Flight{}
	err := Scan(name, f, func(t *Tick) error {
		f.Ticks = append(f.Ticks, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Scan reads a recording into f, but its ticks, which it hands to visit one after the
// other; an error of visit ends it and is returned as it is. Facts, Joints and RateHz are
// there before the first tick, the rest after the last.
func Scan(name string, f *Flight, visit func(*Tick) error) error {
	file, err := infile.Open(name, math.MaxInt64) // it is read piece by piece, and may be of a long flight
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	defer file.Close()
	var stopped error
	err = f.scan(bufio.NewReader(file), func(t *Tick) error {
		stopped = visit(t)
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	return infile.Refuse("recorder: "+name, err)
}

// Facts reads what a recording says of itself, and nothing of the flight. The error is for files that are no recordings
// of robotd.
func Facts(name string) (map[string]string, error) {
	f, err := infile.Open(name, math.MaxInt64)
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	defer f.Close()
	lexer, err := mcap.NewLexer(&oneAtATime{r: f}, &mcap.LexerOptions{MaxDecompressedChunkSize: maxChunk, MaxRecordSize: maxRecord})
	if err != nil {
		return nil, fmt.Errorf("recorder: %s: not an MCAP recording: %w", name, err)
	}
	defer lexer.Close()
	for token := mcap.TokenHeader; token == mcap.TokenHeader; {
		var data []byte
		if token, data, err = next(lexer, nil); err != nil {
			break
		}
		if m, e := mcap.ParseMetadata(data); token == mcap.TokenMetadata && e == nil && m.Name == metadataName {
			return m.Metadata, nil
		}
	}
	return nil, fmt.Errorf("recorder: %s: not a recording of robotd", name)
}

// Limits on what a file may claim, so that a broken one cannot exhaust memory.
const (
	maxChunk  = 64 << 20
	maxRecord = 64 << 20
)

// Read takes everything that is whole from a recording. A file cut off anywhere
// after its first bytes gives what came before the cut and sets Truncated; the
// error is for files that are no recordings at all.
func Read(r io.Reader) (*Flight, error) {
	f := &Flight{}
	err := f.scan(r, func(t *Tick) error {
		f.Ticks = append(f.Ticks, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// scan is Read with a visitor of ticks.
func (f *Flight) scan(r io.Reader, visit func(*Tick) error) error {
	lexer, err := mcap.NewLexer(&oneAtATime{r: r}, &mcap.LexerOptions{
		ValidateChunkCRCs: true, MaxDecompressedChunkSize: maxChunk, MaxRecordSize: maxRecord,
	})
	if err != nil {
		return fmt.Errorf("not an MCAP recording: %w", err)
	}
	defer lexer.Close()
	f.Facts = map[string]string{}
	s := scanner{flight: f, topics: map[uint16]string{}, visit: visit}
	var buf []byte
	for {
		token, data, err := next(lexer, buf)
		if err != nil {
			return s.cut(err)
		}
		if cap(data) > cap(buf) {
			buf = data[:0]
		}
		if token == mcap.TokenFooter {
			return nil
		}
		if err := s.record(token, data); err != nil {
			return err
		}
	}
}

// scanner takes in the records of one file.
type scanner struct {
	flight *Flight
	topics map[uint16]string
	ticks  int
	visit  func(*Tick) error
}

// cut ends the reading where the clean end, which is a footer, has not come.
func (s *scanner) cut(err error) error {
	f := s.flight
	f.Truncated = true
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	if len(f.Facts) == 0 && s.ticks == 0 {
		return fmt.Errorf("not a recording of robotd: %w", err)
	}
	f.Damage = err
	return nil
}

// record takes in one record.
func (s *scanner) record(token mcap.TokenType, data []byte) error {
	f := s.flight
	switch token {
	case mcap.TokenMetadata:
		if m, err := mcap.ParseMetadata(data); err == nil && m.Name == metadataName {
			f.Facts = m.Metadata
			f.Joints = strings.Split(m.Metadata["joints"], ",")
			f.RateHz, _ = strconv.Atoi(m.Metadata["rate_hz"])
		}
	case mcap.TokenChannel:
		if c, err := mcap.ParseChannel(data); err == nil {
			s.topics[c.ID] = c.Topic
		}
	case mcap.TokenMessage:
		m, err := mcap.ParseMessage(data)
		if err != nil {
			return err
		}
		return s.message(m)
	}
	return nil
}

// message takes in one message of a topic that is read back.
func (s *scanner) message(m *mcap.Message) error {
	switch s.topics[m.ChannelID] {
	case topicTick:
		t, err := decodeTick(m.Data)
		if err != nil {
			return fmt.Errorf("tick %d: %w", s.ticks, err)
		}
		s.ticks++
		return s.visit(t)
	case topicLog:
		line, err := decodeLog(m.Data)
		if err != nil {
			return fmt.Errorf("log line %d: %w", len(s.flight.Log), err)
		}
		s.flight.Log = append(s.flight.Log, line)
	}
	return nil
}

// oneAtATime lets one goroutine read at a time. The zstd library reads ahead on its own goroutine, and on a chunk that
// lies about its size the MCAP library goes on with the next record while it still does. What is read then is damage
// either way; the lock keeps the reader itself whole.
type oneAtATime struct {
	mu sync.Mutex
	r  io.Reader
}

func (o *oneAtATime) Read(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.r.Read(b)
}

// errDamaged marks a place in a file at which the MCAP library gives up.
var errDamaged = errors.New("damaged MCAP record")

// next reads one record. The library trusts the lengths inside a chunk's header
// and slices with them; on a damaged file that panics, which ends here as an
// error like any other damage.
func next(lexer *mcap.Lexer, buf []byte) (token mcap.TokenType, data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			token, data, err = mcap.TokenError, nil, fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return lexer.Next(buf)
}

func joinNames(names []string) string { return strings.Join(names, ",") }
