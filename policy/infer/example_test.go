package infer_test

import (
	"fmt"

	"github.com/mitori-robotics/mitori/policy/infer"
)

// A layer of two inputs and one output; Forward allocates nothing.
func ExampleRunner_Forward() {
	norm := infer.Normalizer{Mean: []float32{1, 0}, InvStd: []float32{2, 1}, Clip: 5}
	net, err := infer.New(norm, []infer.Layer{{In: 2, Out: 1, W: []float32{0.5, -1}, B: []float32{0.25}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	out := make([]float32, 2)
	net.NewRunner(2).Forward(out, []float32{2, 1, 100, 0}, 2) // the second sample is clipped at 5
	fmt.Println(out)
	// Output:
	// [0.25 2.75]
}
