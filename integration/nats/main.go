// Command nats compares what a call costs Gearbolt's server with what a request
// costs that of NATS: 16 clients and 16 that answer, one call of 100 bytes in
// flight each, on one machine in alternating rounds.
//
//	cd integration/nats && go run .
//	go run . --rounds 7 -d 5s -o json
//
// It is a module of its own, so that nobody who builds Gearbolt needs NATS. The
// server of NATS is this program once more, as a process of its own; Gearbolt is
// built, and loaded by "gearbolt bench" with workers that leave their grabs with
// the server. The figure that counts is the server's processor time for a call.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A shape is what both servers are asked for.
type shape struct {
	pairs    int // of one that calls and one that answers
	size     int // of a payload, in bytes
	duration time.Duration
}

// A round is what a server has shown in one round.
type round struct {
	PerSecond float64 `json:"calls_per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	CPU       float64 `json:"server_cpu_us_per_call"`
}

// Serve, as the only argument, and an address make this program NATS's server.
const serve = "serve"

func main() {
	if len(os.Args) == 3 && os.Args[1] == serve {
		exit(serveNATS(os.Args[2]))
	}
	var s shape
	rounds := flag.Int("rounds", 5, "rounds at each server")
	output := flag.String("o", "text", "text or json")
	binary := flag.String("gearbolt", "", "our `binary`; without it, it is built")
	flag.IntVar(&s.pairs, "pairs", 16, "clients, and as many that answer")
	flag.IntVar(&s.size, "size", 100, "bytes of a payload")
	flag.DurationVar(&s.duration, "d", 3*time.Second, "length of a round")
	flag.Parse()
	if *rounds < 1 || s.pairs < 1 || s.size < 1 || s.duration <= 0 {
		exit(fmt.Errorf("a number below 1 measures nothing"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(compare(ctx, &s, *rounds, *binary, *output))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "nats:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// compare measures both servers in turns.
func compare(ctx context.Context, s *shape, rounds int, binary, output string) error {
	dir, err := os.MkdirTemp("", "gearbolt-nats-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		if binary, err = build(dir); err != nil {
			return err
		}
	}
	gearbolt, err := startGearbolt(binary, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer gearbolt.Kill()
	nats, err := startNATS()
	if err != nil {
		return err
	}
	defer nats.Kill()
	contest := [2]*contestant{
		{name: "Gearbolt, parked grabs", round: func() (round, error) { return callGearbolt(ctx, binary, gearbolt.addr, s) }},
		{name: "NATS request-reply", round: func() (round, error) { return request(ctx, nats, s) }},
	}
	for n := range rounds {
		for i := range contest {
			if err := contest[(i+n)%len(contest)].run(); err != nil {
				return err
			}
		}
	}
	return report(os.Stdout, contest, output)
}

// build builds our server, whose module is the one that this one's go.mod points
// to.
func build(dir string) (binary string, err error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gearbolt").Output()
	if err != nil {
		return "", fmt.Errorf("where Gearbolt is, go list does not know (%w); run this in its own directory, or give --gearbolt", err)
	}
	binary = filepath.Join(dir, "gearbolt")
	out, err := exec.Command("go", "build", "-C", strings.TrimSpace(string(root)), "-o", binary, "./cmd/gearbolt").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// A contestant is a server and what it has shown.
type contestant struct {
	name   string
	round  func() (round, error)
	rounds []round
}

func (c *contestant) run() error {
	r, err := c.round()
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.rounds = append(c.rounds, r)
	return nil
}

// median is that of each figure by itself.
func (c *contestant) median() (m round) {
	of := func(figure func(round) float64) float64 {
		var all []float64
		for _, r := range c.rounds {
			all = append(all, figure(r))
		}
		slices.Sort(all)
		return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	}
	m.PerSecond = of(func(r round) float64 { return r.PerSecond })
	m.P50 = of(func(r round) float64 { return r.P50 })
	m.P99 = of(func(r round) float64 { return r.P99 })
	m.CPU = of(func(r round) float64 { return r.CPU })
	return m
}

func report(w io.Writer, contest [2]*contestant, output string) error {
	ours, theirs := contest[0].median(), contest[1].median()
	if output == "json" {
		return json.NewEncoder(w).Encode(map[string]any{"gearbolt": ours, "nats": theirs, "cpu_ratio": ours.CPU / theirs.CPU})
	}
	for i, m := range []round{ours, theirs} {
		fmt.Fprintf(w, "%-24s %7.0f calls/s  p50 %7.1f µs  p99 %7.1f µs  server CPU %5.1f µs/call\n",
			contest[i].name, m.PerSecond, m.P50, m.P99, m.CPU)
	}
	_, err := fmt.Fprintf(w, "server CPU of a call, Gearbolt's to NATS's: %.2f×, and at most 1 is the aim\n", ours.CPU/theirs.CPU)
	return err
}

// callGearbolt is a round of "gearbolt bench".
func callGearbolt(ctx context.Context, binary, addr string, s *shape) (round, error) {
	pairs := fmt.Sprint(s.pairs)
	out, err := exec.CommandContext(ctx, binary, "bench", "sync", "--server", addr, "--rounds", "1", "-d", s.duration.String(), "-o", "json",
		"--clients", pairs, "--workers", pairs, "--inflight", "1", "--parked", "on", "--size", fmt.Sprint(s.size)).Output()
	if err != nil {
		return round{}, err
	}
	var got struct {
		Results []struct {
			PerSecond float64                    `json:"jobs_per_second"`
			CPU       float64                    `json:"cpu_us_per_job"`
			Latency   struct{ P50, P99 float64 } `json:"latency_us"`
		}
	}
	if err := json.Unmarshal(out, &got); err != nil || len(got.Results) != 1 {
		return round{}, fmt.Errorf("%d results, %v", len(got.Results), err)
	}
	x := got.Results[0]
	return round{PerSecond: x.PerSecond, P50: x.Latency.P50, P99: x.Latency.P99, CPU: x.CPU}, nil
}
