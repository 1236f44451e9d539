package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/mitori-robotics/mitori/cmd/internal/fault"
)

func tree(work func() error) *cobra.Command {
	root := &cobra.Command{Use: "prog"}
	group := &cobra.Command{Use: "group"}
	do := &cobra.Command{Use: "do FILE", Args: cobra.ExactArgs(1), RunE: func(*cobra.Command, []string) error { return work() }}
	do.Flags().Int("n", 0, "")
	group.AddCommand(do)
	root.AddCommand(group)
	return root
}

func TestRunTellsErrorsAndCodes(t *testing.T) {
	works := func() error { return nil }
	for _, c := range []struct {
		args []string
		work func() error
		code int
		said string
	}{
		{[]string{"group", "do", "x"}, works, fault.ExitDone, ""},
		{[]string{"group", "do", "x"}, func() error { return errors.New("broken\x1b[2J") }, fault.ExitFailed, "prog: broken\\x1b[2J\n"},
		{[]string{"group", "do", "x"}, func() error { return fault.Refuse("no") }, fault.ExitRefused, "prog: no\n"},
		{[]string{"group", "do", "x"}, func() error { return context.Canceled }, fault.ExitFailed, "prog: interrupted\n"},
		{[]string{"group", "do"}, works, fault.ExitUsage, "prog group do: accepts 1 arg(s)"},
		{[]string{"group", "do", "x", "--m", "1"}, works, fault.ExitUsage, "--m"},
		{[]string{"group", "do", "x", "--n", "one"}, works, fault.ExitUsage, "one"},
		{[]string{"group", "undo"}, works, fault.ExitUsage, "unknown command \"undo\""},
		{[]string{"frobnicate"}, works, fault.ExitUsage, "frobnicate"},
		{[]string{"group"}, works, fault.ExitDone, ""},
		{nil, works, fault.ExitDone, ""},
	} {
		var errOut bytes.Buffer
		code := Run(context.Background(), tree(c.work), c.args, io.Discard, &errOut)
		if code != c.code || !strings.Contains(errOut.String(), c.said) || c.said == "" && errOut.Len() > 0 {
			t.Errorf("%v: exit %d, said %q; want %d, %q", c.args, code, errOut.String(), c.code, c.said)
		}
		if hint := strings.Contains(errOut.String(), "--help"); hint != (c.code == fault.ExitUsage) {
			t.Errorf("%v: said %q", c.args, errOut.String())
		}
	}
}

func TestStoppableLeavesStuckWork(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	root := Stoppable(tree(func() error { <-stuck; return nil }))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var errOut bytes.Buffer
	if code := Run(ctx, root, []string{"group", "do", "x"}, io.Discard, &errOut); code != fault.ExitFailed || errOut.String() != "prog: interrupted\n" {
		t.Errorf("exit %d, said %q", code, &errOut)
	}
}

func TestLoadRobot(t *testing.T) {
	for name, code := range map[string]int{"": fault.ExitUsage, "kata20": fault.ExitDone, "nonesuch": fault.ExitFailed} {
		if _, err := LoadRobot(name); fault.Code(err) != code || name == "" && !strings.Contains(err.Error(), "kata20") {
			t.Errorf("--robot %q: %v; want code %d", name, err, code)
		}
	}
}

func TestNotOver(t *testing.T) {
	dir := t.TempDir()
	in, link := filepath.Join(dir, "in"), filepath.Join(dir, "link")
	if err := os.WriteFile(in, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(in, link); err != nil {
		t.Fatal(err)
	}
	for out, code := range map[string]int{
		"": fault.ExitDone, filepath.Join(dir, "new"): fault.ExitDone, in: fault.ExitUsage, link: fault.ExitUsage,
		filepath.Join(dir, "..", filepath.Base(dir), "in"): fault.ExitUsage,
	} {
		if err := NotOver(out, "missing", in); fault.Code(err) != code {
			t.Errorf("%s: %v", out, err)
		}
	}
}

// On a terminal one line changes and ends in one line feed; in a pipe there is a line a quarter and no control sign.
func TestProgress(t *testing.T) {
	for _, live := range []bool{true, false} {
		var b bytes.Buffer
		now := time.Unix(0, 0)
		p := &Progress{w: &b, live: live, now: func() time.Time { return now }}
		count := p.Frames("pose")
		for i := 1; i <= 100; i++ {
			now = now.Add(100 * time.Millisecond)
			count(i, 100)
		}
		p.Line("done")
		said := b.String()
		if lines, want := strings.Count(said, "\n"), map[bool]int{true: 2, false: 5}[live]; lines != want {
			t.Errorf("live %v: %d lines, want %d: %q", live, lines, want, said)
		}
		if strings.Contains(said, "\x1b") != live || !strings.Contains(said, "pose: frame 50 of 100, 10 frames/s") || !strings.HasSuffix(said, "\ndone\n") {
			t.Errorf("live %v: %q", live, said)
		}
		if strings.Contains(said, "5 s left") != live {
			t.Errorf("live %v: time left: %q", live, said)
		}
	}
}

func TestALineClearsAnUnfinishedOne(t *testing.T) {
	var b bytes.Buffer
	p := &Progress{w: &b, live: true, now: time.Now}
	p.Show("training: 50 %", false, false)
	p.Line("interrupted")
	p.Show("again", false, false)
	p.End()
	p.End()
	if want := ToStart + "training: 50 %" + ToStart + "interrupted\n" + ToStart + "again\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestNamesCannotDriveTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"kata20, größe\n":         "kata20, größe\n",
		"\x1b[2Jevil\r":           `\x1b[2Jevil\x0d`,
		"a\x00b\xffc\u009b\u202e": `a\x00b\xffc\u009b\u202e`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q -> %q, want %q", in, got, want)
		}
	}
}
