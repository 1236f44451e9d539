package eval

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// An eval.json of the first release, from before intervals were told and before robotd's guard was part of the
// evaluation, still says what it said: no key of schema 1 has changed its name, and what it lacks is zero.
func TestEarlierReportsAreRead(t *testing.T) {
	text, err := os.ReadFile("testdata/schema1-0.eval.json")
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var before, after map[string]any
	if err := json.Unmarshal(text, &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &after); err != nil {
		t.Fatal(err)
	}
	keeps(t, "", before, after)
	if r.Episodes != 3 || len(r.Results) != 3 || len(r.Card) != 6 || r.Results[0].Seed != 90001 || !r.Results[0].Survived() || r.Card[1].SurvivalRate != 0 ||
		r.BaselinePlayback.JointMAERad == 0 || r.GuardCommands != 0 || r.Stopped != 0 {
		t.Errorf("%+v", r)
	}
}

// keeps complains of each value of before that after has not.
func keeps(t *testing.T, path string, before, after any) {
	t.Helper()
	switch b := before.(type) {
	case map[string]any:
		a, _ := after.(map[string]any)
		for k, v := range b {
			keeps(t, path+"."+k, v, a[k])
		}
	case []any:
		a, _ := after.([]any)
		if len(a) != len(b) {
			t.Errorf("%s: %d values, want %d", path, len(a), len(b))
			return
		}
		for i, v := range b {
			keeps(t, path+"[]", v, a[i])
		}
	default:
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%s: %v, want %v", path, after, before)
		}
	}
}
