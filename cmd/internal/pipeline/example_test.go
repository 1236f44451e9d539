package pipeline_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mitori-robotics/mitori/cmd/internal/pipeline"
)

// A path of two stages: the second one takes what the first one made. Asked again with
// the same inputs, neither works again; a changed input passes through.
func Example() {
	hear := func(sound string) pipeline.Stage[string] {
		return pipeline.Stage[string]{
			Name:   "hear",
			Inputs: func(in *pipeline.Inputs) { in.Value("sound", sound) },
			Work: func(_ context.Context, tell pipeline.Tell) (string, error) {
				tell(pipeline.Progress{Done: 1, Total: 1})
				return strings.ToLower(sound), nil
			},
		}
	}
	count := func(text string) pipeline.Stage[int] {
		return pipeline.Stage[int]{
			Name:   "count",
			Inputs: func(in *pipeline.Inputs) { in.Value("text", text) },
			Work: func(_ context.Context, tell pipeline.Tell) (int, error) {
				tell(pipeline.Progress{Done: 1, Total: 1})
				return len(strings.Fields(text)), nil
			},
		}
	}
	run := &pipeline.Run{Tell: func(p pipeline.Progress) { fmt.Printf("  %s: %g of %g\n", p.Stage, p.Done, p.Total) }}
	for _, sound := range []string{"ONE TWO", "ONE TWO", "One Two", "ONE"} {
		text, err := pipeline.Do(context.Background(), run, hear(sound))
		if err != nil {
			fmt.Println(err)
			return
		}
		words, err := pipeline.Do(context.Background(), run, count(text))
		fmt.Println(sound, words, err)
	}
	for _, w := range run.Walls() {
		fmt.Println(w.Stage)
	}
	// Output:
	//   hear: 1 of 1
	//   count: 1 of 1
	// ONE TWO 2 <nil>
	// ONE TWO 2 <nil>
	//   hear: 1 of 1
	// One Two 2 <nil>
	//   hear: 1 of 1
	//   count: 1 of 1
	// ONE 1 <nil>
	// hear
	// count
}
