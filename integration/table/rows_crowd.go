package main

// crowdRows are about many connections and many functions.
func crowdRows(r *rig) []row {
	return []row{sleepersRow(r), stormRow(r), abilitiesRow(r), {
		name: "idle", what: "10,000 idle workers", fresh: true,
		sides: both(shape("idle", "1", "1", "1", "--idle", r.amount(10_000))...),
		targets: []target{
			beside(alone("bytes of server memory each", "bytes/sleeper", atMost(6<<10))),
			ratio("p50 of calls meanwhile", p50, want{}),
		},
	}}
}

func sleepersRow(r *rig) row {
	calls := shape("sync", "16", "1", r.amount(1000), "--parked", "off")
	few := shape("sync", "16", "1", "16", "--parked", "off")
	return row{
		name: "sleepers", what: "1,000 sleeping workers on one function, 16 calling clients",
		sides: append(both(calls...), side{name: "16 workers", server: gearbolt, round: load(few...)}),
		targets: []target{
			ratio("calls/s", perSecond, atLeast(18)),
			within("server CPU per call, to ours with 16 workers", ref{ours, cpu}, ref{"16 workers", cpu}, atMost(1.5)),
		},
	}
}

func stormRow(r *rig) row {
	storm := shape("storm", "4", "1", "4", "--functions", r.amount(20_000), "--storm", "50")
	return row{
		name: "storm", what: "one worker with 20,000 functions, and 50 of them reconnecting at once",
		sides: both(storm...),
		targets: []target{
			beside(alone("slowest call of others, µs", "worst call µs", atMost(20_000))),
			beside(alone("CAN_DO/s", "CAN_DO/s", atLeast(500_000))),
		},
	}
}

// abilitiesRow asks with plain workers what a GRAB_JOB costs.
func abilitiesRow(r *rig) row {
	call := shape("abilities", "1", "1", "1", "--parked", "off", "--functions")
	many, few := append(call, r.amount(20_000)), append(call, "10")
	return row{
		name: "abilities", what: "GRAB_JOB of a worker with 20,000 functions, one of them ready, beside one with 10",
		sides: []side{{name: ours, server: gearbolt, round: load(many...)}, {name: "10 functions", server: gearbolt, round: load(few...)}},
		targets: []target{
			within("server CPU per call", ref{ours, cpu}, ref{"10 functions", cpu}, atMost(1.1)),
			within("p50", ref{ours, p50}, ref{"10 functions", p50}, atMost(1.1)),
		},
	}
}
