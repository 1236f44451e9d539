package landmark

import (
	"strings"
	"testing"
)

// The names are the witnesses of the order: a partner is called the same but for
// the side, and mirroring twice changes nothing.
func TestMirrorExchangesSides(t *testing.T) {
	swap := strings.NewReplacer("left", "right", "right", "left")
	for i := range Num {
		if got, want := Name(Mirror(i)), swap.Replace(Name(i)); got != want {
			t.Errorf("the partner of %s is %s", Name(i), got)
		}
		if Mirror(Mirror(i)) != i {
			t.Errorf("%s is not the partner of its partner", Name(i))
		}
	}
}

func TestOrderIsBlazePoses(t *testing.T) {
	// From MediaPipe's documentation of the pose landmarks.
	for i, name := range map[Index]string{0: "nose", 7: "left ear", 12: "right shoulder", 15: "left wrist",
		19: "left index finger", 22: "right thumb", 23: "left hip", 28: "right ankle", 31: "left toe"} {
		if Name(i) != name {
			t.Errorf("landmark %d is called %s, BlazePose's is the %s", i, Name(i), name)
		}
	}
	if Num != 33 {
		t.Errorf("%d landmarks", Num)
	}
}
