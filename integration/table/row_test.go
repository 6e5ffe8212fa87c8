package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/harness/process"
)

// newRig measures with the servers of this test run.
func newRig(t *testing.T) *rig {
	harness.Need(t, "gearmand")
	bare, err := process.BuildCommand(t.TempDir(), "gearbolt/integration/relay")
	if err != nil {
		t.Fatal(err)
	}
	return &rig{gearbolt: harness.Binary(t), gearmand: "/usr/sbin/gearmand", relay: bare, dir: t.TempDir(),
		duration: 20 * time.Millisecond, scale: 0.001, limit: time.Minute}
}

// Every row can be measured, and has a figure for each of its promises.
func TestRows(t *testing.T) {
	r := newRig(t)
	for _, row := range allRows(r) {
		t.Run(row.name, func(t *testing.T) {
			row.addRelay()
			for _, f := range row.run(t.Context(), r, 1) {
				if f.Missing != "" || f.Rounds == nil {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// Whoever ends or takes too long is named, and the other side goes on.
func TestRowsWithoutAFigure(t *testing.T) {
	r := newRig(t)
	r.limit = time.Second
	falls := func(_ context.Context, _ *rig, s *server) (metrics, error) {
		s.Kill()
		return nil, s.gone()
	}
	hangs := func(ctx context.Context, r *rig, s *server) (metrics, error) {
		return r.bench(ctx, s, "sync", "-d", "1h")
	}
	runs := func(context.Context, *rig, *server) (metrics, error) { return metrics{perSecond: 1}, nil }
	for want, round := range map[string]roundFunc{"gearmand ended by itself: signal: killed": falls, "took too long": hangs} {
		row := row{
			name: "bad", targets: []target{ratio("speed", perSecond, atLeast(1))},
			sides: []side{{name: ours, server: gearbolt, round: runs}, {name: theirs, server: gearmand, round: round}},
		}
		f := row.run(t.Context(), r, 2)[0]
		if len(f.Rounds) != 2 || f.Others != nil || f.Reached != nil || !strings.Contains(f.Missing, want) {
			t.Errorf("%s: got %+v", want, f)
		}
	}
}

// shown is a row that was measured.
func shown(row *row, values ...map[string][]float64) *run {
	return &run{row: row, shown: values, failed: make([]error, len(values))}
}

func TestFigures(t *testing.T) {
	row := &row{
		name: "r", what: "work", sides: []side{{name: ours}, {name: theirs}},
		targets: []target{ratio("speed", perSecond, atLeast(2)), ratio("time", p99, atMost(0.5)), alone("bytes", "bytes", atMost(100)),
			beside(alone("more bytes", "bytes", atMost(10))), ratio("other", "nothing", atMost(1)), ratio("free", cpu, want{})},
	}
	x := shown(row, map[string][]float64{perSecond: {50, 10, 30}, p99: {4, 8}, "bytes": {90}, cpu: {2}},
		map[string][]float64{perSecond: {10, 20}, p99: {10}, "bytes": {45}, cpu: {8}})
	x.failed[1] = errors.New("theirs has fallen over")
	got := x.figures()
	for i, want := range []struct {
		ours, ratio float64
		verdict     string
	}{
		{30, 2, "reached"}, {6, 0.6, "MISSED"}, {90, 0, "reached"}, {90, 2, "MISSED"}, {0, 0, "ours: no nothing; theirs has fallen over"}, {2, 0.25, ""},
	} {
		cells := got[i].cells()
		if got[i].Ours != want.ours || got[i].Ratio != want.ratio || cells[len(cells)-1] != want.verdict {
			t.Errorf("%s: got %+v, %q", got[i].Figure, got[i], cells)
		}
	}
}

func TestPrinters(t *testing.T) {
	reached := true
	table := &table{Date: "2026-01-02", Machine: "a machine", Rounds: 5, Seconds: 3, Scale: 1, Figures: []figure{
		{Row: "sync", What: "calls", Figure: "p50", Ours: 12.34, Theirs: 24.68, Ratio: 0.5, Target: "≤ 0.6", Reached: &reached},
		{Row: "sync", What: "calls", Figure: "calls/s", Missing: "gearmand ended by itself"},
	}}
	for format, want := range map[string][]string{
		"text":     {"2026-01-02, a machine; medians of 5 rounds of 3 s\n", "sync  p50      12.3  24.7    0.500×  ≤ 0.6   reached", "gearmand ended by itself"},
		"markdown": {"| calls | p50 | 12.3 | 24.7 | 0.500× | ≤ 0.6 | reached |\n", "|  | calls/s |  |  |  |  | gearmand ended by itself |\n"},
	} {
		var out bytes.Buffer
		if err := printers[format](&out, table); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%s has no %q:\n%s", format, w, out.String())
			}
		}
	}
	var out bytes.Buffer
	if err := asJSON(&out, table); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestChoose(t *testing.T) {
	all := []row{{name: "a"}, {name: "b", long: true}, {name: "c"}}
	for names, want := range map[string]string{"": "a c", "b": "b", "c,a": "a c"} {
		chosen, err := choose(all, strings.FieldsFunc(names, func(r rune) bool { return r == ',' }))
		var got []string
		for _, r := range chosen {
			got = append(got, r.name)
		}
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %q, %v", names, got, err)
		}
	}
	if _, err := choose(all, []string{"d"}); err == nil || !strings.Contains(err.Error(), "a, b, c") {
		t.Errorf("got %v", err)
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{0: "", 0.01234: "0.0123", 0.5: "0.500", 1.234: "1.23", 12.34: "12.3", 99.99: "100.0", 123.4: "123", 1e6: "1000000"} {
		if got := number(x); got != want {
			t.Errorf("%v: got %q, want %q", x, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	m, err := parse([]byte(`{"results":[{"jobs_per_second":5,"latency_us":{"p50":1,"p99":2},"cpu_us_per_job":3,"load_cpu_us_per_job":4,"figures":{"x":6}}]}`))
	if err != nil || m[perSecond] != 5 || m[p50] != 1 || m[p99] != 2 || m[cpu] != 3 || m[loadCPU] != 4 || m["x"] != 6 {
		t.Errorf("got %v, %v", m, err)
	}
	for _, bad := range []string{"", `{"results":[]}`} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
