package train

// pair runs f(0) on another goroutine and f(1) on this one, and gives the first error. All parallel work of a
// learning step has this form: two fixed halves, whatever the machine.
func pair(f func(half int) error) error {
	done := make(chan error, 1)
	go func() { done <- f(0) }()
	err1 := f(1)
	if err0 := <-done; err0 != nil {
		return err0
	}
	return err1
}

// halfOf cuts n items in two.
func halfOf(n, half int) (from, to int) {
	if half == 0 {
		return 0, n / 2
	}
	return n / 2, n
}
