package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A functionRow is a function at a server.
type functionRow struct {
	Server string `json:"server"`
	admin.Function
}

func (a *app) status() *cobra.Command {
	l := &listing{app: a}
	c := &cobra.Command{
		Use:   "status [FUNCTION...]",
		Short: "Show what waits, runs and works, by function",
		Long: `Shows each function with its jobs: those that wait, by priority, those that run,
and how many workers can do them. LIMIT is the bound on its jobs, if there is
one and the server tells it: high, normal and low priority.`,
		Example: `  gearbolt status
  gearbolt status --watch
  gearbolt status mail resize --server jobs-1 --server jobs-2
  gearbolt status -o json | jq '.[] | select(.workers == 0 and .jobs > 0)'`,
		ValidArgsFunction: a.functionNames,
	}
	l.flags(c)
	c.RunE = func(cmd *cobra.Command, names []string) error {
		l.gather = func(ctx context.Context, set *target.Set) (table, []failure, error) {
			t, failures := functionTable(ctx, set, names)
			return t, failures, nil
		}
		return l.run(cmd.Context())
	}
	return c
}

func functionTable(ctx context.Context, set *target.Set, names []string) (table, []failure) {
	all := each(ctx, set, (*admin.Conn).Functions)
	t := table{columns: []string{"FUNCTION", ">WAITING", ">HIGH", ">NORMAL", ">LOW", ">RUNNING", ">WORKERS", ">LIMIT"}}
	data, servers := []functionRow{}, []string(nil)
	for _, one := range all {
		for _, f := range one.value {
			if len(names) > 0 && !slices.Contains(names, f.Name) {
				continue
			}
			data = append(data, functionRow{one.server.Host, f})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{f.Name, itoa(f.Jobs - f.Running), itoa(f.High), itoa(f.Normal), itoa(f.Low),
				itoa(f.Running), itoa(f.Workers), limitText(f.Limits)})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all)
}

// limitText shows limits: one number where all are the same.
func limitText(l *admin.Limits) string {
	switch {
	case l == nil:
		return "-"
	case l.High == l.Normal && l.Normal == l.Low:
		return itoa(l.High)
	}
	return itoa(l.High) + "/" + itoa(l.Normal) + "/" + itoa(l.Low)
}

// A workerRow is a connection to a server.
type workerRow struct {
	Server string `json:"server"`
	admin.Worker
}

func (a *app) workers() *cobra.Command {
	l := &listing{app: a}
	everybody := false
	c := &cobra.Command{
		Use:   "workers",
		Short: "Show who is connected and what they can do",
		Long: `Shows the connections of workers: their number at the server, their address, the
name that they gave themselves, and the functions that they can do.`,
		Example: `  gearbolt workers
  gearbolt workers --all          # clients, too
  gearbolt workers -o json | jq -r '.[].functions[]' | sort | uniq -c`,
		Args: noArguments,
	}
	l.flags(c)
	c.Flags().BoolVarP(&everybody, "all", "a", false, "connections without a function, too")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		l.gather = func(ctx context.Context, set *target.Set) (table, []failure, error) {
			t, failures := workerTable(ctx, set, everybody)
			return t, failures, nil
		}
		return l.run(cmd.Context())
	}
	return c
}

func workerTable(ctx context.Context, set *target.Set, everybody bool) (table, []failure) {
	all := each(ctx, set, (*admin.Conn).Workers)
	t := table{columns: []string{">CONNECTION", "ADDRESS", "ID", "FUNCTIONS"}}
	data, servers := []workerRow{}, []string(nil)
	for _, one := range all {
		for _, w := range one.value {
			if len(w.Functions) == 0 && !everybody {
				continue
			}
			data = append(data, workerRow{one.server.Host, w})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{w.Connection, w.Address, w.ID, orDash(strings.Join(w.Functions, " "))})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all)
}

// A jobRow is a job at a server.
type jobRow struct {
	Server string `json:"server"`
	admin.Job
}

func (a *app) jobs() *cobra.Command {
	l := &listing{app: a}
	c := &cobra.Command{
		Use:   "jobs [FUNCTION...]",
		Short: "Show the jobs that wait or run",
		Long: `Shows each job: its handle, its function, its unique id, the address of the worker
that runs it, how many clients wait for its end, and how many of its runs were
lost. A background job is on disk, and an ignored one runs though nobody waits
for it any more. A gearmand tells no more than handle, kind and lost runs.`,
		Example: `  gearbolt jobs
  gearbolt jobs mail --watch
  gearbolt jobs mail -o json | jq -r '.[] | select(.worker == null) | .handle' | xargs gearbolt cancel`,
		ValidArgsFunction: a.functionNames,
	}
	l.flags(c)
	c.RunE = func(cmd *cobra.Command, names []string) error {
		l.gather = func(ctx context.Context, set *target.Set) (table, []failure, error) { return jobTable(ctx, set, names) }
		return l.run(cmd.Context())
	}
	return c
}

func jobTable(ctx context.Context, set *target.Set, names []string) (table, []failure, error) {
	all := each(ctx, set, (*admin.Conn).Jobs)
	t := table{columns: []string{"HANDLE", "FUNCTION", "UNIQUE", "KIND", "WORKER", ">WAITING", ">LOST"}}
	data, servers := []jobRow{}, []string(nil)
	for _, one := range all {
		for _, j := range one.value {
			if len(names) > 0 && !j.Detailed {
				return t, nil, &coded{exitRefused, one.server.Host + " does not tell the functions of jobs; gearbolt jobs without one lists all"}
			}
			if len(names) > 0 && !slices.Contains(names, j.Function) {
				continue
			}
			data = append(data, jobRow{one.server.Host, j})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{j.Handle, orDash(j.Function), orDash(j.Unique), kindOf(j), orDash(j.Worker),
				itoa(j.Waiting), itoa(j.Attempts)})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all), nil
}

func kindOf(j admin.Job) string {
	switch {
	case j.Background:
		return "background"
	case j.Ignored:
		return "ignored"
	}
	return "foreground"
}

// noArguments is for commands that take only flags.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError("argument %q has no meaning here; %s --help tells what has", args[0], cmd.CommandPath())
	}
	return nil
}

// arguments is for commands that take from least to most arguments; most < 0
// is no bound.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch n := len(args); {
		case n < least:
			return usageError("something is missing: %s; %s --help tells more", cmd.UseLine(), cmd.CommandPath())
		case most >= 0 && n > most:
			return usageError("argument %q is one too many; %s --help tells more", args[most], cmd.CommandPath())
		}
		return nil
	}
}

// number reads a count.
func number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, usageError("%q is no number of jobs; give a whole number, or none for no limit", text)
	}
	return n, nil
}
