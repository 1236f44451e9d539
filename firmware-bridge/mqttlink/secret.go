package mqttlink

import (
	"net/url"
	"strings"
)

// Redact hides whatever of a broker's URL may be a secret, for logs and errors:
// all that stands before the last @, and the query. It takes text that is no URL
// as well, for that is what a mistyped one looks like.
func Redact(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		scheme, rest = "", s
	} else {
		scheme += "://"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "xxxxx" + rest[at:]
	}
	if q := strings.IndexByte(rest, '?'); q >= 0 {
		rest = rest[:q] + "?xxxxx"
	}
	return scheme + rest
}

// InClear reports whether this link sends a password over a network that others
// can listen to: without TLS, to another machine.
func (l *Link) InClear() bool {
	u, err := url.Parse(l.cfg.URL)
	if err != nil || l.cfg.Password == "" {
		return false
	}
	switch u.Scheme {
	case "tcp", "mqtt", "ws":
		return !isLoopback(u.Hostname())
	}
	return false
}
