package main

import (
	"context"
	"fmt"
)

// depthRows are about how much waits.
func depthRows(r *rig) []row {
	million := shape("queued", "16", "256", "1", "--jobs", r.amount(1_000_000), "--keep", "--function", "waiting")
	return []row{{
		name: "queued", what: "1,000,000 queued jobs of 100 bytes", fresh: true,
		sides:   both(million...),
		targets: []target{beside(alone("bytes of memory each beyond the payload", "bytes/job beyond payload", atMost(350)))},
	}, {
		name: "restart", what: "restart after kill -9 with 1,000,000 waiting jobs", fresh: true,
		sides:   []side{{name: ours, server: gearbolt, before: fill(r.count(1_000_000)), round: restart}},
		targets: []target{alone("seconds until it serves", "restart s", atMost(3)), alone("bytes of memory for each job", "bytes/job", want{})},
	}, {
		name: "reclaim", what: "memory and store after ten drains of 1,000,000 jobs", fresh: true, long: true,
		sides: []side{{name: ours, server: gearbolt, round: reclaim}},
		targets: []target{
			alone("memory within a minute, to before", "memory after to before", atMost(1.2)),
			alone("MiB then", "MiB after", want{}),
			alone("store file, tenth round to first", "store tenth to first", atMost(1)),
		},
	},
		waitingRow("waiting", "throughput with 1,000 and with 1,000,000 jobs waiting", r.count(1_000_000), false),
		waitingRow("waiting-5m", "throughput with 1,000 and with 5,000,000 jobs waiting", r.count(5_000_000), true),
		largeRow(r),
	}
}

// waitingRow turns jobs over on a server where few wait and on one where many
// do: jobs of the function that they wait for, and of another one.
func waitingRow(name, what string, many int, long bool) row {
	turnover := shape("turnover", "16", "16", "1", "--keep")
	same := append(turnover, "--function", "waiting")
	deep, shallow := fill(many), fill(1000)
	equal := want{atLeast: 0.8, atMost: 1.25}
	return row{
		name: name, what: what, long: long,
		sides: []side{
			{name: "many", server: gearbolt, before: deep, round: also(load(same...), "other", load(turnover...))},
			{name: "few", server: gearbolt, before: shallow, round: also(load(same...), "other", load(turnover...))},
		},
		targets: []target{
			within("jobs/s of the same function", ref{"many", perSecond}, ref{"few", perSecond}, equal),
			within("jobs/s of another function", ref{"many", "other " + perSecond}, ref{"few", "other " + perSecond}, equal),
		},
	}
}

// largeRow is about payloads that memory does not hold.
func largeRow(r *rig) row {
	return row{
		name: "large", what: "10,000,000 jobs of 1 KiB within a payload budget of 256 MiB, and drained", fresh: true, long: true,
		sides: []side{{name: ours, server: gearbolt, round: large}},
		targets: []target{
			alone("MiB of memory beyond the budget's 256", "MiB beyond budget", want{}),
			alone("bytes of memory for each job beyond the budget", "bytes/job beyond budget", atMost(350)),
			alone("jobs/s drained", perSecond, want{}),
		},
	}
}

// A roundFunc is what a side does in a round.
type roundFunc = func(ctx context.Context, r *rig, s *server) (metrics, error)

// also does one thing and then another, whose metrics get a name in front.
func also(first roundFunc, name string, second roundFunc) roundFunc {
	return func(ctx context.Context, r *rig, s *server) (metrics, error) {
		m, err := first(ctx, r, s)
		if err != nil {
			return nil, err
		}
		more, err := second(ctx, r, s)
		for metric, value := range more {
			m[name+" "+metric] = value
		}
		return m, err
	}
}

// fill queues jobs, which stay.
func fill(jobs int) func(context.Context, *rig, *server) error {
	return func(ctx context.Context, r *rig, s *server) error {
		_, err := r.bench(ctx, s, queued(jobs)...)
		return err
	}
}

func queued(jobs int, more ...string) []string {
	return append(shape("queued", "16", "256", "1", "--keep", "--function", "waiting", "--jobs", fmt.Sprint(jobs)), more...)
}
