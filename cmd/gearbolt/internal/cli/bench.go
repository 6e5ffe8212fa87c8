package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gearbolt/cmd/gearbolt/internal/bench"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A benching is one run of the command bench.
type benching struct {
	*app
	bench.Config
	against string
	parked  string
	library string
	out     outputFlag
}

func (a *app) bench() *cobra.Command {
	b := &benching{app: a, out: newOutput(outputTable)}
	c := &cobra.Command{
		Use:   "bench [KIND...]",
		Short: "Measure a server, or two side by side",
		Long: `Puts load on a Gearman server of any make and measures what it does with it:

  sync        calls that wait for their results (the default)
  background  background jobs are queued; nobody does them meanwhile
  drain       so many queued background jobs (--jobs) are done
  flow        background jobs are queued while workers do them
  turnover    each connection queues jobs and does as many
  mixed       each call takes a background job along
  beside      calls beside a steady rate (--rate) of ECHO_REQ, then of background jobs
  idle        calls, while many connections (--idle) sleep
  queued      so many background jobs (--jobs) are queued: memory for each
  functions   calls to many functions (--functions)
  abilities   calls to one function of workers that have many (--functions)
  storm       many workers (--storm) of many functions reconnect at once; calls

With --against a second server gets the same load, in turns with the first: each
round begins with the other one. JOBS/S is the median of the rounds, latencies are
over all of them: from a call to its result; with background, flow, turnover and
queued, to JOB_CREATED; with drain, from a worker's grab to the job. CPU/JOB and
MEMORY are the server's, if its process runs on this machine; LOAD'S is the
processor time of this program. GRABS are parked if the server keeps them until
there is a job (ALL_YOURS).

Only functions that begin with a random name of this run are touched, and all are
taken away in the end (--function and --keep change that). Callers and workers
share the machine with a local server.`,
		Example: `  gearbolt bench
  gearbolt bench sync background drain --server jobs-1 --against jobs-2 --rounds 5
  gearbolt bench --clients 1 --inflight 256 --parked off
  gearbolt bench idle --idle 10000 -o json`,
		ValidArgs: bench.Kinds,
		RunE:      func(cmd *cobra.Command, kinds []string) error { return b.run(cmd.Context(), kinds) },
	}
	b.flags(c.Flags())
	return c
}

func (b *benching) flags(f *pflag.FlagSet) {
	f.StringVar(&b.against, "against", "", "`address` of a second server")
	f.IntVar(&b.Rounds, "rounds", 3, "rounds at each server")
	f.DurationVarP(&b.Duration, "duration", "d", 2*time.Second, "length of a round")
	f.DurationVar(&b.WarmUp, "warm-up", 200*time.Millisecond, "load before the first round of a kind; 0 for none")
	f.IntVar(&b.Clients, "clients", 4, "connections that call")
	f.IntVar(&b.Inflight, "inflight", 16, "calls under way on each")
	f.IntVar(&b.Workers, "workers", 4, "connections that work")
	f.IntVar(&b.Grabs, "grabs", 1, "grabs of each that wait for a job at once")
	f.StringVar(&b.parked, "parked", string(bench.ParkedAuto), "whether workers leave their grabs with the server: auto, on, off")
	f.IntVar(&b.Size, "size", 100, "bytes of a payload")
	f.IntVar(&b.Jobs, "jobs", 20000, "jobs of a round of drain and of queued")
	f.IntVar(&b.Idle, "idle", 1000, "connections that sleep, with idle")
	f.IntVar(&b.Functions, "functions", 1000, "functions, with functions, abilities and storm")
	f.IntVar(&b.Rate, "rate", 10000, "packets a second, in all, of beside")
	f.IntVar(&b.Storm, "storm", 50, "workers that reconnect at once, of storm")
	f.BoolVar(&b.Unique, "unique", false, "each job has a unique id, and none that of another")
	f.StringVar(&b.library, "library", "", "sync through Gearbolt's Go library: both (callers and workers) or workers")
	f.Lookup("library").NoOptDefVal = string(bench.LibraryBoth)
	f.StringVar(&b.Function, "function", "", "`name` of the function, instead of a random one; with --keep")
	f.BoolVar(&b.Keep, "keep", false, "leave queued jobs where they are")
	f.VarP(&b.out, "output", "o", "table or json")
}

func (b *benching) run(ctx context.Context, kinds []string) error {
	b.Kinds, b.Parked, b.Library = kinds, bench.Parked(b.parked), bench.Library(b.library)
	if len(kinds) == 0 {
		b.Kinds = []string{"sync"}
	}
	if err := b.Check(); err != nil {
		return usageError("%v", err)
	}
	set, err := b.benchServers(b.against)
	if err != nil {
		return err
	}
	line := newBar(b.Stderr, !b.out.json())
	report, err := bench.Run(ctx, b.Config, set, line.say)
	line.clear()
	if err != nil {
		return err
	}
	return b.printReport(report, b.out.json())
}

// benchServers are one server and the one that it is measured against.
func (a *app) benchServers(against string) (*target.Set, error) {
	set, err := a.servers()
	if err != nil {
		return nil, err
	}
	if len(set.Servers) > 1 {
		return nil, usageError("one server is measured, and a second with --against; give one --server")
	}
	if against == "" {
		return set, nil
	}
	second, err := target.Parse(against, a.target.Secure)
	if err != nil {
		return nil, usageError("%v", err)
	}
	if second == set.Servers[0] {
		return nil, usageError("--against %s is the same server; give another", against)
	}
	set.Servers = append(set.Servers, second)
	return set, nil
}

func (a *app) printReport(r *bench.Report, asJSON bool) error {
	if asJSON {
		return writeJSON(a.Stdout, r)
	}
	c := &r.Config
	fmt.Fprintf(a.Stdout, "%d × %d calls under way, %d workers, %d bytes, %d rounds of %v\n",
		c.Clients, c.Inflight, c.Workers, c.Size, c.Rounds, c.Duration)
	for _, s := range r.Servers {
		fmt.Fprintf(a.Stdout, "%s is %s", s.Address, strings.TrimSpace(s.Version))
		if s.Unobserved != "" {
			fmt.Fprintf(a.Stdout, "; its CPU and memory are unknown: %s", s.Unobserved)
		}
		fmt.Fprintln(a.Stdout)
	}
	fmt.Fprintln(a.Stdout)
	t := table{columns: bench.Columns, rows: r.Rows()}
	return t.write(a.Stdout)
}
