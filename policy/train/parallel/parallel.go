// Package parallel runs the parts of one piece of work on the machine's cores, so that the result has the same bits
// on any number of them. It keeps two rules apart: who cuts the work does so by its size alone (Parts, Cut), and how
// many goroutines take up the parts is the machine's affair (Workers). A sum over parts is the caller's, in the order
// of the parts.
//
// Not here: what the parts compute, and the threads of the physics engine, which are its own. Run may be called from
// several goroutines; it leaves none behind.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Workers is how many goroutines this machine runs at a time: its cores, or GOMAXPROCS where that is set.
func Workers() int { return runtime.GOMAXPROCS(0) }

// Parts is the number of parts of at most size items each that n items are cut into.
func Parts(n, size int) int { return (n + size - 1) / size }

// Cut gives the items of one of several nearly equal parts of n items.
func Cut(n, parts, part int) (from, to int) { return n * part / parts, n * (part + 1) / parts }

// Run calls f for every part from 0 on, at most workers of them at a time, and returns when all are done. The workers
// are numbered from 0; each calls f for one part after another, so f may keep scratch for each worker. All parts run,
// also after an error; the error returned is that of the first part that has one.
func Run(workers, parts int, f func(worker, part int) error) error {
	workers = min(workers, parts)
	if workers <= 1 {
		return runAlone(parts, f)
	}
	errs := make([]error, parts)
	var next atomic.Int64
	work := func(worker int) {
		for {
			part := int(next.Add(1)) - 1
			if part >= parts {
				return
			}
			errs[part] = f(worker, part)
		}
	}
	var others sync.WaitGroup
	for worker := 1; worker < workers; worker++ {
		others.Go(func() { work(worker) })
	}
	work(0)
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func runAlone(parts int, f func(worker, part int) error) error {
	var first error
	for part := range parts {
		if err := f(0, part); err != nil && first == nil {
			first = err
		}
	}
	return first
}
