package linear

import (
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"gearbolt/integration/judge"
)

// A Result is what Check found.
type Result struct {
	Jobs, Operations int
	Impossible       []string // histories that no job can have lived through, by handle and with their events
}

// patience bounds the search for an order of one job's operations. A history
// for which it does not suffice counts as impossible.
const patience = time.Minute

// Check holds the history of each job in a log against the model.
func Check(log []judge.Event) (all Result) {
	parts := 1 + uint64(len(log)/part)
	for n := range parts {
		all.check(log, read(log, func(handle string) bool { return maphash.String(seed, handle)%parts == n }))
	}
	return all
}

// A long log is read in parts of about so many events, by handles.
const part = 500_000

var seed = maphash.MakeSeed()

func (all *Result) check(log []judge.Event, histories map[string]history) {
	model := life.ToModel()
	for handle, h := range histories {
		all.Jobs++
		all.Operations += len(h)
		if got := porcupine.CheckOperationsTimeout(model, h, patience); got != porcupine.Ok {
			all.Impossible = append(all.Impossible, describe(handle, got, log))
		}
	}
}

func describe(handle string, got porcupine.CheckResult, log []judge.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", handle, got)
	known := false
	for _, e := range log {
		about := e.Handle == handle
		if known = known || about; about || known && (e.Kind == judge.Died || e.Kind == judge.Started) {
			fmt.Fprintf(&b, "\n\t%s", e)
		}
	}
	return b.String()
}
