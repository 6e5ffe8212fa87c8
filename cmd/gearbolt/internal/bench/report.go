package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Report is all that was measured.
type Report struct {
	Config  Config   `json:"config"`
	Servers []Server `json:"servers"`
	Results []Result `json:"results"`
}

// A Server is one that was measured.
type Server struct {
	Address    string `json:"address"`
	Version    string `json:"version"`
	PID        int    `json:"pid,omitempty"`
	Unobserved string `json:"unobserved,omitempty"` // why its process cannot be looked at
}

// A Result is one server under one kind of load. Latencies are over all rounds,
// everything else is the median of the rounds.
type Result struct {
	Kind      string    `json:"kind"`
	Server    string    `json:"server"`
	Parked    bool      `json:"parked"` // grabs were left with the server
	PerSecond float64   `json:"jobs_per_second"`
	Slowest   float64   `json:"jobs_per_second_min"`
	Fastest   float64   `json:"jobs_per_second_max"`
	Jobs      int       `json:"jobs"` // in all rounds
	Latency   Latencies `json:"latency_us"`

	// Of the server; absent where its process cannot be looked at.
	CPU    float64 `json:"cpu_us_per_job,omitempty"`
	Memory int64   `json:"memory_bytes,omitempty"`

	LoadCPU float64            `json:"load_cpu_us_per_job"` // of those that put the load on it
	Figures map[string]float64 `json:"figures,omitempty"`   // that only this kind of load has

	Rounds []Round `json:"rounds"`
}

// Latencies are in microseconds.
type Latencies struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// A Round is one round of a result.
type Round struct {
	Jobs      int       `json:"jobs"`
	Seconds   float64   `json:"seconds"`
	PerSecond float64   `json:"jobs_per_second"`
	Latency   Latencies `json:"latency_us"`
	CPU       float64   `json:"cpu_us_per_job,omitempty"`
	Memory    int64     `json:"memory_bytes,omitempty"`
	LoadCPU   float64   `json:"load_cpu_us_per_job"`

	Figures map[string]float64 `json:"figures,omitempty"`
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func latencies(h *histogram) Latencies {
	return Latencies{micros(h.quantile(0.5)), micros(h.quantile(0.99)), micros(h.quantile(0.999)), micros(h.max)}
}

func (s *sample) round() Round {
	r := Round{Jobs: s.jobs, Seconds: s.took.Seconds(), Latency: latencies(&s.latency), Memory: s.memory, Figures: s.figures}
	if s.took > 0 {
		r.PerSecond = float64(s.jobs) / r.Seconds
	}
	if s.jobs > 0 {
		r.CPU, r.LoadCPU = micros(s.cpu)/float64(s.jobs), micros(s.own)/float64(s.jobs)
	}
	return r
}

// add adds the results of a kind, one for each server.
func (r *Report) add(kind string, samples [][]*sample) {
	for i, rounds := range samples {
		r.Results = append(r.Results, result(kind, r.Servers[i].Address, rounds))
	}
}

func result(kind, server string, samples []*sample) Result {
	out := Result{Kind: kind, Server: server, Parked: true}
	all := new(histogram)
	var speeds, cpus, own []float64
	var memories []int64
	figures := make(map[string][]float64)
	for _, s := range samples {
		round := s.round()
		out.Rounds = append(out.Rounds, round)
		out.Jobs += s.jobs
		out.Parked = out.Parked && s.parked
		all.merge(&s.latency)
		speeds = append(speeds, round.PerSecond)
		cpus = append(cpus, round.CPU)
		own = append(own, round.LoadCPU)
		memories = append(memories, round.Memory)
		for name, value := range s.figures {
			figures[name] = append(figures[name], value)
		}
	}
	out.PerSecond, out.Slowest, out.Fastest = median(speeds), slices.Min(speeds), slices.Max(speeds)
	out.Latency = latencies(all)
	out.CPU, out.LoadCPU, out.Memory = median(cpus), median(own), median(memories)
	out.Figures = make(map[string]float64)
	for name, values := range figures {
		out.Figures[name] = median(values)
	}
	return out
}

func median[T int64 | float64](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// Columns are the heads of Rows; ">" aligns to the right.
var Columns = []string{"KIND", "SERVER", ">JOBS/S", ">MIN", ">MAX", ">P50", ">P99", ">P99.9", ">CPU/JOB", ">LOAD'S", ">MEMORY", "GRABS", "MORE"}

// Rows are the results as people read them. Where two servers were measured a
// third row says by how much the first is above the second.
func (r *Report) Rows() (rows [][]string) {
	for i, x := range r.Results {
		rows = append(rows, x.row())
		if second := i%len(r.Servers) == 1; second && len(r.Servers) == 2 {
			rows = append(rows, compare(&r.Results[i-1], &r.Results[i]))
		}
	}
	return rows
}

func (x *Result) row() []string {
	grabs := "asked"
	switch {
	case slices.Contains([]string{"background", "queued", "turnover"}, x.Kind):
		grabs = "-"
	case x.Parked:
		grabs = "parked"
	}
	return []string{x.Kind, x.Server, count(x.PerSecond), count(x.Slowest), count(x.Fastest), span(x.Latency.P50),
		span(x.Latency.P99), span(x.Latency.P999), span(x.CPU), span(x.LoadCPU), x.memory(), grabs, x.more()}
}

func (x *Result) memory() string {
	if x.Memory == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(x.Memory)/(1<<20))
}

// more are the figures that only this kind of load has.
func (x *Result) more() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(x.Figures)) {
		all = append(all, fmt.Sprintf("%.0f %s", x.Figures[name], name))
	}
	return strings.Join(all, ", ")
}

// compare is the row of ratios, the first server's numbers by the second's.
func compare(a, b *Result) []string {
	ratio := func(x, y float64) string {
		if y == 0 || x == 0 {
			return "-"
		}
		return fmt.Sprintf("×%.2f", x/y)
	}
	return []string{"", "first/second", ratio(a.PerSecond, b.PerSecond), "", "", ratio(a.Latency.P50, b.Latency.P50),
		ratio(a.Latency.P99, b.Latency.P99), ratio(a.Latency.P999, b.Latency.P999), ratio(a.CPU, b.CPU),
		ratio(a.LoadCPU, b.LoadCPU), ratio(float64(a.Memory), float64(b.Memory)), "", ""}
}

func count(n float64) string { return fmt.Sprintf("%.0f", n) }

// span shows microseconds.
func span(us float64) string {
	switch {
	case us == 0:
		return "-"
	case us < 1000:
		return fmt.Sprintf("%.1f µs", us)
	case us < 1e6:
		return fmt.Sprintf("%.2f ms", us/1000)
	}
	return fmt.Sprintf("%.2f s", us/1e6)
}
