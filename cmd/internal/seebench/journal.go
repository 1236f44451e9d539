package seebench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mitori-robotics/mitori/models/infile"
)

// maxJournalBytes bounds what is read: far more than a thousand runs of the matrix.
const maxJournalBytes = 64 << 20

// journal is a file of results: a line each, on the disk before the next row begins, so
// that a run that is killed has lost the rows that it was at.
type journal struct {
	file  *os.File // nil: nothing is kept
	found map[string]Result
}

// entry is one line of it.
type entry struct {
	Key string `json:"key"`
	Result
}

// openJournal reads what is there. A line that was cut short by the end of an earlier run
// is left out.
func openJournal(name string) (*journal, error) {
	j := &journal{found: map[string]Result{}}
	if name == "" {
		return j, nil
	}
	text, err := infile.Read(name, maxJournalBytes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := len(text) == 0 || text[len(text)-1] == '\n'
	lines, bad := 0, 0
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, maxJournalBytes)
	for ; in.Scan(); lines++ {
		var e entry
		if json.Unmarshal(in.Bytes(), &e) != nil || e.Key == "" || e.Row == "" {
			bad++
			continue
		}
		j.found[e.Key] = e.Result
	}
	if bad > 0 && bad == lines && lines > 1 {
		return nil, infile.Refuse(name, errors.New("it holds no results of a bench; name another file"))
	}
	if j.file, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666); err != nil {
		return nil, err
	}
	if !whole {
		_, err = j.file.WriteString("\n")
	}
	return j, err
}

// Find returns an earlier result.
func (j *journal) Find(key string) (Result, bool) {
	r, ok := j.found[key]
	return r, ok
}

// Add writes a result through to the disk.
func (j *journal) Add(key string, r Result) error {
	if j.file == nil {
		return nil
	}
	line, err := json.Marshal(entry{key, r})
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	return j.file.Sync()
}

func (j *journal) Close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
