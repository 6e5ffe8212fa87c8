package judge

import (
	"fmt"
	"strings"
	"testing"
)

// An Invariant is what a server keeps, whatever is done to it.
type Invariant int

// The invariants; the package comment says what each means.
const (
	I1NoLoss Invariant = 1 + iota
	I2BoundedRepetition
	I3NoPhantom
	I4SingleCompletion
	I5Integrity
	I6Liveness
)

var invariantNames = [...]string{"", "no loss", "bounded repetition", "no phantom", "single completion", "integrity", "liveness"}

func (i Invariant) String() string { return fmt.Sprintf("I%d %s", int(i), invariantNames[i]) }

// A Violation is what does not balance.
type Violation struct {
	Invariant Invariant
	What      string
	History   []Event // of the job that it is about
}

func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.Invariant, v.What)
	for _, e := range v.History {
		fmt.Fprintf(&b, "\n\t%s", e)
	}
	return b.String()
}

// Report fails the test with the first violations.
func Report(t testing.TB, all []Violation) {
	t.Helper()
	const shown = 10
	for _, v := range all[:min(len(all), shown)] {
		t.Error(v)
	}
	if n := len(all) - shown; n > 0 {
		t.Errorf("and %d more violations", n)
	}
}
