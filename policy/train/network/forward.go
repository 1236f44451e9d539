package network

import (
	"github.com/mitori-robotics/mitori/policy/infer"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
)

// Forward evaluates an exported network on many rows, on all cores.
type Forward struct {
	net     *infer.Net
	runners []*infer.Runner // one a worker
	rows    int             // of a part
}

// NewForward makes a Forward that hands out at most partRows rows at a time. Results do not depend on that number:
// infer promises the same bits for a row however many lie beside it.
func NewForward(net *infer.Net, partRows int) *Forward {
	f := &Forward{net: net, rows: partRows, runners: make([]*infer.Runner, parallel.Workers())}
	for i := range f.runners {
		f.runners[i] = net.NewRunner(partRows)
	}
	return f
}

// Run fills dst (rows x Out) from x (rows x In).
func (f *Forward) Run(dst, x []float32) {
	in, out := f.net.In(), f.net.Out()
	rows := len(x) / in
	if len(x) != rows*in || len(dst) != rows*out {
		panic("network: Forward: dst and x must hold the same number of rows")
	}
	parts := parallel.Parts(rows, f.rows)
	_ = parallel.Run(len(f.runners), parts, func(worker, part int) error {
		if from, to := parallel.Cut(rows, parts, part); from < to {
			f.runners[worker].Forward(dst[from*out:to*out], x[from*in:to*in], to-from)
		}
		return nil
	})
}
