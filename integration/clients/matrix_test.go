package clients

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The matrix of what every peer did with every scenario, printed at the end.
var matrix struct {
	sync.Mutex
	results []result
}

type result struct{ peer, scenario, outcome string }

// note enters an outcome.
func note(peer, scenario, outcome string) {
	matrix.Lock()
	defer matrix.Unlock()
	matrix.results = append(matrix.results, result{peer, scenario, outcome})
}

// record enters the outcome of a test when it ends.
func record(t *testing.T, peer, scenario string) {
	t.Cleanup(func() {
		switch {
		case t.Failed():
			note(peer, scenario, "FAILED")
		case t.Skipped():
			note(peer, scenario, "skipped")
		default:
			note(peer, scenario, "passed")
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

// report prints a line of counts for each peer and the reasons for whatever
// was not played. It shows with go test -v.
func report(w io.Writer) {
	for _, peer := range peerNames() {
		counts := map[string]int{}
		var reasons []string
		for _, r := range matrix.results {
			if r.peer != peer {
				continue
			}
			kind, reason, told := strings.Cut(r.outcome, ": ")
			counts[kind]++
			if told {
				reasons = append(reasons, fmt.Sprintf("      %s, %s: %s", r.scenario, kind, reason))
			}
		}
		fmt.Fprintf(w, "%-24s %3d passed %3d absent %3d skipped %3d failed %3d not on gearmand\n", peer,
			counts["passed"], counts["absent"], counts["skipped"], counts["FAILED"], counts["gearmand"])
		for _, reason := range reasons {
			fmt.Fprintln(w, reason)
		}
	}
}

func peerNames() []string {
	var names []string
	for _, r := range matrix.results {
		names = append(names, r.peer)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(a, b) })
	return slices.Compact(names)
}

// TestTables fails when a table names a scenario or a peer that does not
// exist, so that no entry outlives what it is about.
func TestTables(t *testing.T) {
	known := map[string]bool{"Pairs": true}
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
}
