package main

import "slices"

// Sides as the rows name them.
const (
	ours   = "ours"
	theirs = "theirs"
	bare   = "bare relay"
)

// both does the same to Gearbolt and to gearmand.
func both(args ...string) []side {
	return []side{{name: ours, server: gearbolt, round: load(args...)}, {name: theirs, server: gearmand, round: load(args...)}}
}

// ratio is a promise about our figure to theirs.
func ratio(figure, metric string, w want) target {
	return target{figure: figure, ours: ref{ours, metric}, theirs: ref{theirs, metric}, want: w}
}

func atLeast(x float64) want { return want{atLeast: x} }
func atMost(x float64) want  { return want{atMost: x} }

// alone is a promise about our figure; theirs may be shown beside it.
func alone(figure, metric string, w want) target {
	return target{figure: figure, ours: ref{ours, metric}, want: w, absolute: true}
}

// beside shows gearmand's figure beside ours, which is what counts.
func beside(t target) target {
	t.theirs = ref{theirs, t.ours.metric}
	return t
}

// within is a promise about one of our sides to another one.
func within(figure string, ours, other ref, w want) target {
	return target{figure: figure, ours: ours, theirs: other, want: w}
}

// shape is a load's connections: clients, calls under way on each, workers. What
// is appended to it belongs to who appends.
func shape(kind, clients, inflight, workers string, more ...string) []string {
	return slices.Clip(slices.Concat([]string{kind, "--clients", clients, "--inflight", inflight, "--workers", workers}, more))
}

// addRelay has a bare relay do the same, if it can, beside gearmand.
func (r *row) addRelay() {
	if !r.relay {
		return
	}
	for _, s := range r.sides {
		if s.name == ours {
			r.sides = append(slices.Clip(r.sides), side{name: bare, server: relay, round: s.round})
		}
	}
	for _, t := range slices.Clone(r.targets) {
		if t.ours.side == ours && t.theirs.side == theirs {
			r.targets = append(r.targets, within(t.figure+" of a bare relay", ref{bare, t.ours.metric}, t.theirs, want{}))
		}
	}
}

// allRows are all promises, in the order in which they are shown.
func allRows(r *rig) []row {
	var all []row
	for _, some := range [][]row{callRows(), queueRows(r), crowdRows(r), depthRows(r)} {
		all = append(all, some...)
	}
	return all
}

// callRows are about calls that wait for their results.
func callRows() []row {
	return []row{
		{
			name: "plain-1x1", relay: true, what: "1 client × 1 worker, plain worker protocol",
			sides:   both(shape("sync", "1", "1", "1", "--parked", "off")...),
			targets: []target{ratio("p50", p50, atMost(0.6)), ratio("server CPU per call", cpu, atMost(0.5))},
		},
		{
			name: "plain-16x16", relay: true, what: "16 clients × 16 workers, one call in flight each",
			sides: both(shape("sync", "16", "1", "16", "--parked", "off")...),
			targets: []target{ratio("server CPU per call", cpu, atMost(0.85)), ratio("calls/s", perSecond, atLeast(1.1)),
				ratio("load generator's CPU per call", loadCPU, want{})},
		},
		{
			name: "plain-16x32", relay: true, what: "16 clients × 32 in flight, 16 workers",
			sides:   both(shape("sync", "16", "32", "16", "--parked", "off")...),
			targets: []target{ratio("calls/s", perSecond, atLeast(1)), ratio("p99", p99, atMost(1))},
		},
		{
			name: "parked-1x1", relay: true, what: "1 client × 1 worker with parked grabs, beside gearmand's plain ones",
			sides:   both(shape("sync", "1", "1", "1")...),
			targets: []target{ratio("p50", p50, atMost(0.45)), ratio("server CPU per call", cpu, atMost(0.4))},
		},
		{
			name: "parked-16x16", relay: true, what: "16 × 16 with parked grabs, beside gearmand's plain ones",
			sides:   both(shape("sync", "16", "1", "16")...),
			targets: []target{ratio("server CPU per call", cpu, atMost(0.7)), ratio("calls/s", perSecond, want{})},
		},
		libraryRow(),
	}
}

// libraryRow has three sides: gearmand's workers are those of our library once,
// as ours are, and once plain ones, as others have them.
func libraryRow() row {
	call := shape("sync", "16", "32", "16")
	library := append(call, "--grabs", "8", "--library=workers")
	plain := append(call, "--parked", "off")
	vsPlain := ratio("calls/s, plain workers at gearmand", perSecond, want{})
	vsPlain.theirs.side = "plain"
	return row{
		name: "library", what: "16 clients × 32 in flight, 16 workers of clients with concurrency 8",
		sides: append(both(library...), side{name: "plain", server: gearmand, round: load(plain...)}),
		targets: []target{ratio("calls/s, the same library at gearmand", perSecond, atLeast(2)), vsPlain,
			ratio("load generator's CPU per call", loadCPU, want{})},
	}
}
