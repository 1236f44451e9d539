package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// ToStart goes back to the start of a terminal's line and clears it.
const ToStart = "\r\x1b[K"

// IsTerminal tells whether somebody sees what is written to w as it comes.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Progress shows how far a work is: on a terminal in one line that changes,
// elsewhere (a pipe, a log) as a line where there is something worth one.
type Progress struct {
	w      io.Writer
	live   bool
	stands bool // an unfinished line is on the terminal
	now    func() time.Time
}

// NewProgress shows on w.
func NewProgress(w io.Writer) *Progress { return &Progress{w: w, live: IsTerminal(w), now: time.Now} }

// Show replaces the line on a terminal. Elsewhere it prints text if it is worth a
// line. last ends the line: what is printed next stands below it.
func (p *Progress) Show(text string, worth, last bool) {
	switch {
	case p.live && last:
		fmt.Fprintf(p.w, "%s%s\n", ToStart, text)
	case p.live:
		fmt.Fprint(p.w, ToStart, text)
	case worth:
		fmt.Fprintln(p.w, text)
	}
	p.stands = p.live && !last
}

// Line prints a line of its own and leaves none unfinished above it.
func (p *Progress) Line(text string) {
	if p.stands {
		fmt.Fprint(p.w, ToStart)
	}
	p.stands = false
	fmt.Fprintln(p.w, text)
}

// End leaves no unfinished line: what is printed next stands below the last one.
func (p *Progress) End() {
	if p.stands {
		fmt.Fprintln(p.w)
	}
	p.stands = false
}

// Frames counts frames of a work that begins now, with their rate and the time that
// is left; off a terminal at every quarter.
func (p *Progress) Frames(what string) func(done, total int) {
	start, quarter := p.now(), 0
	return func(done, total int) {
		if total <= 0 || done <= 0 {
			return
		}
		rate := float64(done) / max(p.now().Sub(start).Seconds(), 1e-9)
		text := fmt.Sprintf("%s: frame %d of %d, %.0f frames/s", what, done, total, rate)
		if p.live {
			text += fmt.Sprintf(", %.0f s left", float64(max(0, total-done))/rate)
		}
		p.Show(text, 4*done/total > quarter, done >= total)
		quarter = max(quarter, 4*done/total)
	}
}
