package main

// Sides as the rows name them.
const (
	ours   = "ours"
	theirs = "theirs"
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

// shape is a load's connections: clients, calls under way on each, workers.
func shape(kind, clients, inflight, workers string, more ...string) []string {
	return append([]string{kind, "--clients", clients, "--inflight", inflight, "--workers", workers}, more...)
}

// allRows are all promises, in the order in which they are shown.
func allRows(r *rig) []row {
	var all []row
	for _, some := range [][]row{callRows(), queueRows(r)} {
		all = append(all, some...)
	}
	return all
}

// callRows are about calls that wait for their results.
func callRows() []row {
	return []row{
		{
			name: "plain-1x1", what: "1 client × 1 worker, plain worker protocol",
			sides:   both(shape("sync", "1", "1", "1", "--parked", "off")...),
			targets: []target{ratio("p50", p50, atMost(0.6)), ratio("server CPU per call", cpu, atMost(0.5))},
		},
		{
			name: "plain-16x16", what: "16 clients × 16 workers, one call in flight each",
			sides: both(shape("sync", "16", "1", "16", "--parked", "off")...),
			targets: []target{ratio("server CPU per call", cpu, atMost(0.85)), ratio("calls/s", perSecond, atLeast(1.1)),
				ratio("load generator's CPU per call", loadCPU, want{})},
		},
		{
			name: "plain-16x32", what: "16 clients × 32 in flight, 16 workers",
			sides:   both(shape("sync", "16", "32", "16", "--parked", "off")...),
			targets: []target{ratio("calls/s", perSecond, atLeast(1)), ratio("p99", p99, atMost(1))},
		},
		{
			name: "parked-1x1", what: "1 client × 1 worker with parked grabs, beside gearmand's plain ones",
			sides:   both(shape("sync", "1", "1", "1")...),
			targets: []target{ratio("p50", p50, atMost(0.45)), ratio("server CPU per call", cpu, atMost(0.4))},
		},
		{
			name: "parked-16x16", what: "16 × 16 with parked grabs, beside gearmand's plain ones",
			sides:   both(shape("sync", "16", "1", "16")...),
			targets: []target{ratio("server CPU per call", cpu, atMost(0.7)), ratio("calls/s", perSecond, want{})},
		},
	}
}

// queueRows are about background jobs.
func queueRows(r *rig) []row {
	jobs := r.amount(200_000)
	return []row{
		{
			name: "background", what: "background submission, 16 × 64 in flight, durable",
			sides:   both(shape("background", "16", "64", "16")...),
			targets: []target{ratio("jobs/s", perSecond, atLeast(4)), ratio("p99", p99, atMost(0.1))},
		},
		{
			name: "drain", what: "200,000 waiting jobs drained by 16 plain workers",
			sides:   both(shape("drain", "16", "64", "16", "--jobs", jobs, "--parked", "off")...),
			targets: []target{ratio("jobs/s", perSecond, atLeast(2.2))},
		},
		{
			name: "drain-parked", what: "the same with parked grabs, beside gearmand's plain ones",
			sides:   both(shape("drain", "16", "64", "16", "--jobs", jobs)...),
			targets: []target{ratio("jobs/s", perSecond, want{})},
		},
	}
}
