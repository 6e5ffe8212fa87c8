package main

// queueRows are about background jobs.
func queueRows(r *rig) []row {
	jobs := r.amount(200_000)
	drain := shape("drain", "16", "64", "16", "--jobs", jobs)
	flow := shape("flow", "16", "16", "16")
	return []row{
		backgroundRow("background", "background submission, 16 × 64 in flight, durable; no unique ids"),
		submissionRow(),
		{
			name: "drain", relay: true, what: "200,000 waiting jobs drained by 16 plain workers",
			sides:   both(append(drain, "--parked", "off")...),
			targets: []target{ratio("jobs/s", perSecond, atLeast(2.2))},
		},
		{
			name: "drain-parked", what: "the same with parked grabs, beside gearmand's plain ones",
			sides:   both(drain...),
			targets: []target{ratio("jobs/s", perSecond, want{})},
		},
		{
			name: "flow", relay: true, what: "submission and work together, 16 + 16 connections, 16 in flight, plain workers",
			sides:   both(append(flow, "--parked", "off")...),
			targets: []target{ratio("jobs/s", perSecond, atLeast(1.9)), ratio("p99 of submission", p99, atMost(0.3))},
		},
		{
			name: "flow-parked", what: "the same with parked grabs, beside gearmand's plain ones",
			sides:   both(flow...),
			targets: []target{ratio("jobs/s", perSecond, want{}), ratio("p99 of submission", p99, want{})},
		},
		bboltRow(),
		besideRow(),
	}
}

// submission queues jobs on a server that has none: to take away what a round has
// left would take gearmand longer than the round, since it looks for a job by
// its handle in chains that grow with the queue.
func submission(more ...string) []string {
	return shape("background", "16", "64", "16", append(more, "--keep", "--warm-up", "0")...)
}

func backgroundRow(name, what string, more ...string) row {
	return row{
		name: name, relay: true, what: what, fresh: true,
		sides:   both(submission(more...)...),
		targets: []target{ratio("jobs/s", perSecond, atLeast(4)), ratio("p99", p99, atMost(0.1))},
	}
}

// submissionRow is beside gearmand's sqlite, too, whose table has one row for
// all jobs without a unique id.
func submissionRow() row {
	r := backgroundRow("background-unique", "background submission, 16 × 64 in flight, durable; distinct unique ids", "--unique")
	r.sides = append(r.sides, side{name: "sqlite", server: sqlite, round: load(submission("--unique")...)})
	r.targets = append(r.targets, within("jobs/s, gearmand -q libsqlite3", ref{ours, perSecond}, ref{"sqlite", perSecond}, atLeast(80)))
	return r
}

// besideRow compares calls that share the server with the disk's work and calls
// that share it with as many packets that need no disk.
func besideRow() row {
	const echo, jobs = "p99 µs beside ECHO", "p99 µs beside background"
	return row{
		name: "beside", what: "calls, 4 clients × 4 workers, beside 10,000 background jobs/s and beside 10,000 ECHO/s",
		sides: []side{{name: ours, server: gearbolt, round: load(shape("beside", "4", "1", "4", "--parked", "off", "--rate", "10000")...)}},
		targets: []target{
			within("p99 of calls, background to ECHO", ref{ours, jobs}, ref{ours, echo}, atMost(1.5)),
			within("packets/s, background to ECHO", ref{ours, "background/s"}, ref{ours, "ECHO/s"}, want{}),
		},
	}
}
