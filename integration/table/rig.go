package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A rig is what all rows are measured with.
type rig struct {
	gearbolt, gearmand string // binaries
	relay              string // the yardstick's; "": it is not measured
	dir                string // in which servers keep their data
	duration           time.Duration
	scale              float64
	limit              time.Duration // of one side of a round
}

// amount is a number of jobs or connections, to scale.
func (r *rig) amount(n int) string { return strconv.Itoa(r.count(n)) }

func (r *rig) count(n int) int { return max(1, int(float64(n)*r.scale)) }

// Metrics are what one round of one side has shown. The names are those below,
// and those of the figures that a kind of load reports by itself.
type metrics map[string]float64

const (
	perSecond = "jobs/s"
	p50       = "p50 µs"
	p99       = "p99 µs"
	cpu       = "server CPU µs"
	loadCPU   = "load CPU µs"
)

// A report is the part of what "gearbolt bench" prints that is needed here.
type report struct {
	Results []struct {
		PerSecond float64                    `json:"jobs_per_second"`
		Latency   struct{ P50, P99 float64 } `json:"latency_us"`
		CPU       float64                    `json:"cpu_us_per_job"`
		LoadCPU   float64                    `json:"load_cpu_us_per_job"`
		Figures   map[string]float64
	}
}

// bench loads a server by "gearbolt bench" with some arguments, for one round.
func (r *rig) bench(ctx context.Context, s *server, args ...string) (metrics, error) {
	all := append([]string{"bench", "--server", s.addr, "--rounds", "1", "-d", r.duration.String(), "-o", "json"}, args...)
	out, err := exec.CommandContext(ctx, r.gearbolt, all...).Output()
	if err == nil {
		return parse(out)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s took too long, or was interrupted: %w", s.name, context.Cause(ctx))
	}
	if gone := s.gone(); gone != nil {
		return nil, gone
	}
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("%s: %s", s.name, strings.TrimSpace(string(failed.Stderr)))
	}
	return nil, err
}

// parse reads what "gearbolt bench" prints of one kind of load at one server.
func parse(out []byte) (metrics, error) {
	var got report
	if err := json.Unmarshal(out, &got); err != nil {
		return nil, fmt.Errorf("gearbolt bench: %w", err)
	}
	if len(got.Results) != 1 {
		return nil, fmt.Errorf("gearbolt bench: %d results of one kind of load at one server", len(got.Results))
	}
	x := got.Results[0]
	m := metrics{perSecond: x.PerSecond, p50: x.Latency.P50, p99: x.Latency.P99, cpu: x.CPU, loadCPU: x.LoadCPU}
	for name, value := range x.Figures {
		m[name] = value
	}
	return m, nil
}
