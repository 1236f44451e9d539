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
	Truncated bool // the file ends in the middle: the recorder was killed
}

// Open reads a recording, whole or truncated.
func Open(name string) (*Flight, error) {
	f, err := infile.Open(name, math.MaxInt64) // it is read piece by piece, and may be of a long flight
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	defer f.Close()
	flight, err := Read(bufio.NewReader(f))
	if err != nil {
		return nil, infile.Refuse("recorder: "+name, err)
	}
	return flight, nil
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
	lexer, err := mcap.NewLexer(&oneAtATime{r: r}, &mcap.LexerOptions{
		ValidateChunkCRCs: true, MaxDecompressedChunkSize: maxChunk, MaxRecordSize: maxRecord,
	})
	if err != nil {
		return nil, fmt.Errorf("not an MCAP recording: %w", err)
	}
	defer lexer.Close()
	f := &Flight{Facts: map[string]string{}}
	topics := map[uint16]string{}
	var buf []byte
	for {
		token, data, err := next(lexer, buf)
		if err != nil {
			// The clean end is a footer, returned below; anything else is a cut.
			f.Truncated = true
			if len(f.Facts) == 0 && len(f.Ticks) == 0 && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("not a recording of robotd: %w", err)
			}
			return f, nil
		}
		if cap(data) > cap(buf) {
			buf = data[:0]
		}
		switch token {
		case mcap.TokenFooter:
			return f, nil
		case mcap.TokenMetadata:
			if m, err := mcap.ParseMetadata(data); err == nil && m.Name == metadataName {
				f.Facts = m.Metadata
				f.Joints = strings.Split(m.Metadata["joints"], ",")
				f.RateHz, _ = strconv.Atoi(m.Metadata["rate_hz"])
			}
		case mcap.TokenChannel:
			if c, err := mcap.ParseChannel(data); err == nil {
				topics[c.ID] = c.Topic
			}
		case mcap.TokenMessage:
			m, err := mcap.ParseMessage(data)
			if err != nil {
				return nil, err
			}
			switch topics[m.ChannelID] {
			case topicTick:
				t, err := decodeTick(m.Data)
				if err != nil {
					return nil, fmt.Errorf("tick %d: %w", len(f.Ticks), err)
				}
				f.Ticks = append(f.Ticks, t)
			case topicLog:
				line, err := decodeLog(m.Data)
				if err != nil {
					return nil, fmt.Errorf("log line %d: %w", len(f.Log), err)
				}
				f.Log = append(f.Log, line)
			}
		}
	}
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
