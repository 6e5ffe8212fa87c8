package tracer

import (
	"os/exec"
	"sync"
	"testing"
)

// Need skips the test where the system lets nobody trace, as in some containers.
func Need(t testing.TB) {
	t.Helper()
	if err := possible(); err != nil {
		t.Skipf("no program can be traced: %v", err)
	}
}

// possible traces a program that does nothing.
var possible = sync.OnceValue(func() error {
	tr, err := Start(exec.Command("true"), 0)
	if err != nil {
		return err
	}
	_, _, err = tr.Result()
	return err
})
