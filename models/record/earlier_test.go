package record

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// keeps complains of each value of before that after has not, and counts them.
func keeps(t *testing.T, path string, before, after any) (n int) {
	t.Helper()
	switch b := before.(type) {
	case map[string]any:
		a, _ := after.(map[string]any)
		for k, v := range b {
			n += keeps(t, path+"."+k, v, a[k])
		}
	case []any:
		a, _ := after.([]any)
		for i, v := range b {
			var got any
			if i < len(a) {
				got = a[i]
			}
			n += keeps(t, path+"[]", v, got)
		}
	default:
		if n++; !reflect.DeepEqual(before, after) {
			t.Errorf("%s: %v, want %v", path, after, before)
		}
	}
	return n
}

// takes reads a file into a value and complains of what got lost on the way.
func takes(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	var before, after any
	if err := json.Unmarshal(text, &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &after); err != nil {
		t.Fatal(err)
	}
	if n := keeps(t, file, before, after); n < 40 {
		t.Errorf("%s has only %d values", file, n)
	}
}

// What the first release wrote is taken over whole: no key of schema 1 has changed its name or its meaning.
func TestEarlierFilesAreRead(t *testing.T) {
	takes(t, "testdata/schema1-0.stats.json", &Stats{})
	takes(t, "testdata/schema1-0.summary.json", &Summary{})
	s, err := LoadStats("testdata/schema1-0.stats.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.Ticks != 1427 || s.MissedTicks != 1193 || len(s.Transitions) != 6 || s.Transitions[4].Why != "took too long" || s.Truth == nil ||
		s.Truth.FreeS != 22.182 || !s.TorqueOff || s.LatenessUs.Max != 9986 {
		t.Errorf("%+v", s)
	}
}

// A schema that nobody knows is refused, with what is legal.
func TestLaterStatsAreRefused(t *testing.T) {
	name := t.TempDir() + "/stats.json"
	for _, text := range []string{`{"schema": 2}`, `{}`} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadStats(name); err == nil || !strings.Contains(err.Error(), "legal: 1") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
