package calib

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// scanner reads the part of TOML that calibrations use: tables, and keys with numbers,
// texts on one line, truth values and (nested) lists.
type scanner struct {
	text string
	at   int
}

// Bounds against files that are no calibration.
const (
	maxDepth  = 4
	maxValues = 1024 // of one list
)

func scanTOML(text string) ([]table, error) {
	s := &scanner{text: text}
	tables := []table{{values: map[string]any{}, line: 1}}
	for {
		s.skip()
		if s.at == len(s.text) {
			return tables, nil
		}
		if s.take('[') {
			name, err := s.key(']')
			if err != nil {
				return nil, err
			}
			tables = append(tables, table{name, s.line(), map[string]any{}})
			continue
		}
		key, err := s.key('=')
		if err != nil {
			return nil, err
		}
		v, err := s.value(0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		t := &tables[len(tables)-1]
		if _, twice := t.values[key]; twice {
			return nil, fmt.Errorf("line %d: %s stands twice", s.line(), key)
		}
		t.values[key] = v
	}
}

func (s *scanner) line() int { return 1 + strings.Count(s.text[:s.at], "\n") }

// skip goes over white space and comments.
func (s *scanner) skip() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '#':
			if n := strings.IndexByte(s.text[s.at:], '\n'); n >= 0 {
				s.at += n
			} else {
				s.at = len(s.text)
			}
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// key reads a bare or quoted name up to the byte that ends it.
func (s *scanner) key(end byte) (string, error) {
	line, _, _ := strings.Cut(s.text[s.at:], "\n")
	n := strings.IndexByte(line, end)
	if n < 0 {
		return "", fmt.Errorf("line %d: %.40q is neither a table nor a key with a value", s.line(), line)
	}
	s.at += n + 1
	name := strings.TrimSpace(line[:n])
	if strings.HasPrefix(name, `"`) {
		plain, err := strconv.Unquote(name)
		if err != nil {
			return "", fmt.Errorf("line %d: %.40q is no name", s.line(), name)
		}
		return plain, nil
	}
	name = strings.Trim(name, "'")
	if name == "" || strings.ContainsAny(name, "[]\"'=") {
		return "", fmt.Errorf("line %d: %.40q is no name", s.line(), name)
	}
	return name, nil
}

func (s *scanner) value(depth int) (any, error) {
	s.skip()
	switch {
	case s.at == len(s.text):
		return nil, fmt.Errorf("line %d: the value is missing", s.line())
	case s.take('['):
		return s.list(depth + 1)
	case s.text[s.at] == '"' || s.text[s.at] == '\'':
		quote := s.text[s.at]
		line, _, _ := strings.Cut(s.text[s.at+1:], "\n")
		n := strings.IndexByte(line, quote)
		if n < 0 {
			return nil, fmt.Errorf("line %d: the text does not end", s.line())
		}
		s.at += n + 2
		return line[:n], nil
	}
	word := s.text[s.at:]
	if n := strings.IndexAny(word, " \t\r\n,]#"); n >= 0 {
		word = word[:n]
	}
	s.at += len(word)
	switch word {
	case "true", "false":
		return word == "true", nil
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(word, "_", ""), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("line %d: %.40q is no finite number", s.line(), word)
	}
	return v, nil
}

func (s *scanner) list(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: lists in lists; legal: %d deep", s.line(), maxDepth)
	}
	out := []any{}
	for {
		s.skip()
		if s.take(']') {
			return out, nil
		}
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		if out = append(out, v); len(out) > maxValues {
			return nil, fmt.Errorf("line %d: a list of more than %d values", s.line(), maxValues)
		}
		s.skip()
		if !s.take(',') && (s.at == len(s.text) || s.text[s.at] != ']') {
			return nil, fmt.Errorf("line %d: a list that does not end", s.line())
		}
	}
}
