package network

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/mitori-robotics/mitori/policy/train/blas"
	"github.com/mitori-robotics/mitori/policy/train/parallel"
)

// The reference training step: 1024 x (64-256-256-20), tanh, squared error, Adam.
const benchRows = 1024

func benchSizes() []int { return []int{64, 256, 256, 20} }

func fusedStep(b testing.TB) func() {
	rng := rand.New(rand.NewPCG(1, 2))
	n := New(benchSizes(), 1, rng)
	g := build(b, n, benchRows, 20, SquaredError(benchRows))
	fillParts(g, rng, func(d []float32) { fill(rng, d, 1) })
	return func() {
		_ = parallel.Run(parallel.Workers(), g.Parts(), func(_, part int) error { return g.parts[part].run() })
		g.Update(1e-3, 1)
	}
}

// gemmStep is only the matrix products of the same step, in the same parts.
func gemmStep(testing.TB) func() {
	s, rows := benchSizes(), partRows
	products := func() func() {
		rng := rand.New(rand.NewPCG(1, 2))
		random := func(n int) []float32 {
			x := make([]float32, n)
			fill(rng, x, 1)
			return x
		}
		var a, w, dw [][]float32
		for k := range s {
			a = append(a, random(rows*s[k]))
			if k+1 < len(s) {
				w, dw = append(w, random(s[k]*s[k+1])), append(dw, random(s[k]*s[k+1]))
			}
		}
		return func() {
			for k := range w {
				blas.GemmNN(rows, s[k+1], s[k], a[k], s[k], w[k], s[k+1], a[k+1], s[k+1], false)
			}
			for k := len(w) - 1; k >= 0; k-- {
				blas.GemmTN(s[k], s[k+1], rows, a[k], s[k], a[k+1], s[k+1], dw[k], s[k+1], false)
				if k > 0 {
					blas.GemmNT(rows, s[k], s[k+1], a[k+1], s[k+1], w[k], s[k+1], a[k], s[k], false)
				}
			}
		}
	}
	parts := make([]func(), benchRows/partRows)
	for i := range parts {
		parts[i] = products()
	}
	blas.OneThread()
	return func() {
		_ = parallel.Run(parallel.Workers(), len(parts), func(_, part int) error { parts[part](); return nil })
	}
}

func plainStep(b testing.TB) func() {
	rng := rand.New(rand.NewPCG(1, 2))
	n := New(benchSizes(), 1, rng)
	p := newPlain(b, n, benchRows)
	fill(rng, p.x.Data().([]float32), 1)
	fill(rng, p.y.Data().([]float32), 1)
	return func() {
		if err := p.machine.RunAll(); err != nil {
			b.Fatal(err)
		}
		at := 0
		for _, g := range p.grads {
			at += copy(n.grad[at:], g.Value().Data().([]float32))
		}
		n.update(1e-3, 0, 1)
		p.machine.Reset()
	}
}

// torchStep is the median of the same step in PyTorch in ms, 0 where it is not installed. MITORI_PYTHON names the
// interpreter, python3 unless set.
func torchStep(b *testing.B) float64 {
	out, err := exec.Command(cmp.Or(os.Getenv("MITORI_PYTHON"), "python3"), "testdata/torch_step.py").Output()
	if err != nil {
		b.Logf("PyTorch: %v", err)
		return 0
	}
	var ms float64
	var version string
	if n, _ := fmt.Sscan(string(out), &ms, &version); n != 2 {
		b.Log("PyTorch is not installed: no comparison with it")
		return 0
	}
	b.Logf("PyTorch %s", version)
	return ms
}

// BenchmarkTrainingStep measures the fused step, its matrix products alone, and plain Gorgonia, in turn, so that all
// three see the same machine, then PyTorch where it is installed; it reports medians and their ratios.
func BenchmarkTrainingStep(b *testing.B) {
	steps := []func(){fusedStep(b), gemmStep(b), plainStep(b)}
	times := make([][]time.Duration, len(steps))
	for b.Loop() {
		for i, f := range steps {
			if i == 2 && len(times[2]) > len(times[0])/10 {
				continue // plain Gorgonia is slow: every tenth time
			}
			start := time.Now()
			f()
			times[i] = append(times[i], time.Since(start))
		}
	}
	median := func(i int) float64 {
		slices.Sort(times[i])
		return times[i][len(times[i])/2].Seconds() * 1e3
	}
	fused, gemm, plain := median(0), median(1), median(2)
	b.ReportMetric(fused, "fused-ms")
	b.ReportMetric(gemm, "gemm-ms")
	b.ReportMetric(plain, "plain-ms")
	b.ReportMetric(fused/gemm, "fused/gemm")
	if torch := torchStep(b); torch > 0 {
		b.ReportMetric(torch, "torch-ms")
		b.ReportMetric(fused/torch, "fused/torch")
	}
	b.Logf("BLAS: %s", blas.CoreName())
}
