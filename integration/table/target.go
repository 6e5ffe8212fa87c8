package main

import (
	"fmt"
	"slices"
	"strings"
)

// A target is what a row promises of one figure.
type target struct {
	figure   string // in words
	ours     ref
	theirs   ref // what it is measured against; may be empty
	want     want
	absolute bool // the promise is about our figure, not about the ratio
}

// A ref names a metric of one of the row's sides.
type ref struct{ side, metric string }

// A want is a bound; the zero want promises nothing.
type want struct {
	atLeast, atMost float64 // 0: none
}

func (w want) String() string {
	switch {
	case w.atLeast > 0 && w.atMost > 0:
		return fmt.Sprintf("%g to %g", w.atLeast, w.atMost)
	case w.atLeast > 0:
		return fmt.Sprintf("≥ %g", w.atLeast)
	case w.atMost > 0:
		return fmt.Sprintf("≤ %g", w.atMost)
	}
	return ""
}

func (w want) holds(x float64) bool {
	return x >= w.atLeast && (w.atMost == 0 || x <= w.atMost)
}

// A figure is one line of the table.
type figure struct {
	Row     string    `json:"row"`
	What    string    `json:"what"`
	Figure  string    `json:"figure"`
	Ours    float64   `json:"ours,omitempty"`
	Theirs  float64   `json:"theirs,omitempty"`
	Ratio   float64   `json:"ratio,omitempty"` // ours to theirs
	Target  string    `json:"target,omitempty"`
	Reached *bool     `json:"reached,omitempty"` // absent: nothing is promised, or it was not measured
	Rounds  []float64 `json:"our_rounds,omitempty"`
	Others  []float64 `json:"their_rounds,omitempty"`
	Missing string    `json:"missing,omitempty"` // why there is no figure
}

// figures are the row's lines.
func (x *run) figures() (all []figure) {
	for i := range x.targets {
		all = append(all, x.figure(&x.targets[i]))
	}
	return all
}

func (x *run) figure(t *target) figure {
	f := figure{Row: x.name, What: x.what, Figure: t.figure}
	var err error
	if f.Ours, f.Rounds, err = x.median(t.ours); err != nil {
		f.Missing = err.Error()
	}
	if t.theirs != (ref{}) {
		if f.Theirs, f.Others, err = x.median(t.theirs); err != nil {
			f.Missing = strings.TrimPrefix(f.Missing+"; "+err.Error(), "; ")
		}
		if f.Theirs > 0 {
			f.Ratio = f.Ours / f.Theirs
		}
	}
	f.judge(t)
	return f
}

// judge compares the figure with what is promised.
func (f *figure) judge(t *target) {
	f.Target = t.want.String()
	judged := f.Ratio
	if t.absolute {
		judged = f.Ours
	}
	if t.absolute && f.Target != "" {
		f.Target = "ours " + f.Target
	}
	if known := f.Rounds != nil && (t.absolute || f.Others != nil); known && t.want != (want{}) {
		reached := t.want.holds(judged)
		f.Reached = &reached
	}
}

// median returns a metric's median and its rounds. What a side has shown before
// it failed counts.
func (x *run) median(r ref) (float64, []float64, error) {
	i := slices.IndexFunc(x.sides, func(s side) bool { return s.name == r.side })
	if i < 0 {
		return 0, nil, fmt.Errorf("row %s has no side %q", x.name, r.side)
	}
	rounds := x.shown[i][r.metric]
	switch {
	case len(rounds) > 0:
		return median(rounds), rounds, nil
	case x.failed[i] != nil:
		return 0, nil, x.failed[i]
	}
	return 0, nil, fmt.Errorf("%s: no %s", r.side, r.metric)
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
