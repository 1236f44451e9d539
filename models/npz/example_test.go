package npz_test

import (
	"bytes"
	"fmt"

	"github.com/mitori-robotics/mitori/models/npz"
)

// What is written here is what numpy.load reads, and the other way round.
func ExampleWrite() {
	var file bytes.Buffer
	if err := npz.Write(&file, npz.Archive{
		"fps":         npz.Scalar(50),
		"joint_pos":   npz.Floats([]float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 3, 2),
		"joint_names": npz.Strings([]string{"hip", "knee"}),
	}); err != nil {
		fmt.Println(err)
		return
	}
	a, err := npz.Read(file.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a["joint_pos"].Shape, a["joint_pos"].Data[2:4], a["joint_names"].Text)
	// Output:
	// [3 2] [0.3 0.4] [hip knee]
}
