package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
)

// Inputs collects what a result depends on. Two collections have the same sum only if
// they have the same names and contents in the same order.
type Inputs struct {
	sum hash.Hash
	err error
}

// Value adds a value by its JSON form: all exported fields count.
func (in *Inputs) Value(name string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		in.fail(name, err)
		return
	}
	in.add(name, hex.EncodeToString(digest(text)))
}

// Hash adds something by a hash of its content that is known already.
func (in *Inputs) Hash(name, hash string) { in.add(name, hash) }

// File adds a file by its content; its name does not count. It returns the SHA-256.
func (in *Inputs) File(name, path string) string {
	sum, err := FileHash(path)
	if err != nil {
		in.fail(name, err)
		return ""
	}
	in.add(name, sum)
	return sum
}

func (in *Inputs) add(name, content string) {
	fmt.Fprintf(in.sum, "%q %q\n", name, content) // quoted: no text can look like two entries
}

func (in *Inputs) fail(name string, err error) {
	if in.err == nil {
		in.err = fmt.Errorf("%s: %w", name, err)
	}
}

// inputsOf returns the key of a stage with these inputs: hexadecimal, "" for one
// without inputs.
func inputsOf(stage string, fill func(*Inputs)) (string, error) {
	if fill == nil {
		return "", nil
	}
	in := &Inputs{sum: sha256.New()}
	in.add("stage", stage)
	fill(in)
	if in.err != nil {
		return "", fmt.Errorf("%s: %w", stage, in.err)
	}
	return hex.EncodeToString(in.sum.Sum(nil)), nil
}

// FileHash is the SHA-256 of a file, hexadecimal.
func FileHash(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
