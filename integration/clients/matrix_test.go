package clients

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// The matrix of what every peer did with every scenario, printed at the end.
var matrix struct {
	sync.Mutex
	results []result
}

// A result belongs to a peer and a scenario, or to a group of other tests.
type result struct{ group, test, outcome string }

// note enters an outcome: passed, failed, skipped, or "absent: " and
// "gearmand: " with a reason.
func note(group, test, outcome string) {
	matrix.Lock()
	defer matrix.Unlock()
	matrix.results = append(matrix.results, result{group, test, outcome})
}

// record enters the outcome of a test when it ends.
func record(t *testing.T, group, test string) {
	t.Cleanup(func() {
		switch {
		case t.Failed():
			note(group, test, "failed")
		case t.Skipped():
			note(group, test, "skipped")
		default:
			note(group, test, "passed")
		}
	})
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	report(os.Stdout)
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// report prints which peer passed which scenario, how many tests of every
// group passed, and the reasons for whatever was not played. It shows with
// go test -v.
func report(w io.Writer) {
	grid(w)
	for _, group := range groups() {
		counts := map[string]int{}
		var reasons []string
		for _, r := range matrix.results {
			if r.group != group {
				continue
			}
			kind, reason, told := strings.Cut(r.outcome, ": ")
			counts[kind]++
			if told {
				reasons = append(reasons, fmt.Sprintf("    %s, %s: %s", r.test, kind, reason))
			}
		}
		slices.Sort(reasons)
		fmt.Fprintf(w, "%s: %s\n", group, summary(counts))
		for _, reason := range reasons {
			fmt.Fprintln(w, reason)
		}
	}
}

// grid prints a line for every scenario and a column for every peer.
func grid(w io.Writer) {
	outcomes := map[[2]string]string{}
	for _, r := range matrix.results {
		kind, _, _ := strings.Cut(r.outcome, ": ")
		outcomes[[2]string{r.group, r.test}] = kind
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, p := range peers {
		fmt.Fprint(table, "\t", p.name)
	}
	fmt.Fprintln(table)
	for _, sc := range scenarios {
		fmt.Fprint(table, sc.name)
		for _, p := range peers {
			fmt.Fprint(table, "\t", cmp.Or(outcomes[[2]string{p.name, sc.name}], "not run"))
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

// summary says "21 passed, 1 absent".
func summary(counts map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	slices.Reverse(parts)
	return strings.Join(parts, ", ")
}

func groups() []string {
	var names []string
	for _, r := range matrix.results {
		names = append(names, r.group)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestTables fails when a table names a scenario or a peer that does not
// exist, so that no entry outlives what it is about.
func TestTables(t *testing.T) {
	known := map[string]bool{}
	for _, sc := range scenarios {
		known[sc.name] = true
	}
	for _, p := range peers {
		for name := range p.absent {
			if !known[name] {
				t.Errorf("%s is absent from %s, which is no scenario", p.name, name)
			}
		}
		for name := range p.with {
			if !known[name] {
				t.Errorf("%s has a stand-in for %s, which is no scenario", p.name, name)
			}
		}
	}
	for name := range onlyOurs {
		if !known[name] {
			t.Errorf("the baseline leaves out %s, which is no scenario", name)
		}
	}
	for key := range onlyOursFor {
		if key[0] != habits && !known[key[1]] {
			t.Errorf("the baseline leaves out %s for %s, which is no scenario", key[1], key[0])
		}
	}
}
