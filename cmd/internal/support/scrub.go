package support

import (
	"os"
	"os/user"
	"regexp"
	"slices"
	"strings"
)

// Secrets is what must not leave this machine.
type Secrets struct {
	words   []word // longest first
	Serials bool   // serial numbers of adapters may leave
}

// word is a secret and what stands in its place.
type word struct{ text, instead string }

// Here is what would tell whose machine this is: people, their folders, names of machines.
func Here() *Secrets {
	s := &Secrets{}
	if u, err := user.Current(); err == nil {
		s.Hide(u.HomeDir, "(home)")
		s.Hide(u.Username, "(user)")
		s.Hide(u.Name, "(name)")
	}
	for _, key := range []string{"USER", "LOGNAME", "SUDO_USER"} {
		s.Hide(os.Getenv(key), "(user)")
	}
	s.Hide(os.Getenv("HOME"), "(home)")
	if name, err := os.Hostname(); err == nil {
		s.Hide(name, "(host)")
		short, _, _ := strings.Cut(name, ".")
		s.Hide(short, "(host)")
	}
	return s
}

// harmless are words that tell nothing of anybody, and that texts are full of.
func harmless() []string { return []string{"", "/", "root", "/root", "localhost", "nobody", "robotd"} }

// Hide makes a text a secret, unless it is a word that tells nothing.
func (s *Secrets) Hide(text, instead string) {
	text = strings.TrimSpace(text)
	if slices.Contains(harmless(), text) || slices.Contains(s.words, word{text, instead}) {
		return
	}
	s.words = append(s.words, word{text, instead})
	slices.SortStableFunc(s.words, func(a, b word) int { return len(b.text) - len(a.text) })
}

// rules hide what looks like something personal, whoever's it is.
var rules = []struct {
	found   *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b(mqtts?|tcp|ssl|wss?|https?)://[^\s"'<>]+`), "$1://(removed)"},
	{regexp.MustCompile(`/(home|Users)/[^/\s"':,;)]+`), "(home)"},
	{regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`), "(address)"},
	{regexp.MustCompile(`\b([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b`), "(address)"},
	{regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`), "(mail)"},
}

// byID is an adapter's name with its serial number.
var byID = regexp.MustCompile(`/dev/serial/by-id/[^\s"',]+`)

// Scrub returns text without secrets.
func (s *Secrets) Scrub(text string) string {
	if !s.Serials {
		text = byID.ReplaceAllString(text, "/dev/serial/by-id/(removed)")
	}
	for _, r := range rules {
		text = r.found.ReplaceAllString(text, r.instead)
	}
	for _, w := range s.words {
		text = replaceWord(text, w)
	}
	return text
}

// replaceWord replaces a text where it is no part of a longer word.
func replaceWord(text string, w word) string {
	var b strings.Builder
	for {
		i := strings.Index(text, w.text)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := i + len(w.text)
		before, after := i == 0 || !inWord(text[i-1]) || !inWord(w.text[0]), end == len(text) || !inWord(text[end]) || !inWord(w.text[len(w.text)-1])
		b.WriteString(text[:i])
		if before && after {
			b.WriteString(w.instead)
		} else {
			b.WriteString(w.text)
		}
		text = text[end:]
	}
}

func inWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}
