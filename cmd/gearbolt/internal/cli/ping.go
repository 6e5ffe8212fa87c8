package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/admin"
)

// A pong is one server's answer to ping.
type pong struct {
	Server string  `json:"server"`
	Millis float64 `json:"ms,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func (a *app) ping() *cobra.Command {
	var (
		count    int
		interval time.Duration
		timeout  time.Duration
	)
	out := newOutput(outputText)
	c := &cobra.Command{
		Use:   "ping",
		Short: "Ask servers for a sign of life",
		Long: `Sends each server an echo request and prints how long the answer took; opening the
connection does not count. The exit code is 0 if all answered each time, and
otherwise that of the first that did not: 5 if it could not be reached, 7 if it
did not answer in time.`,
		Example: `  gearbolt ping
  gearbolt ping -c 0 -i 200ms --server jobs-1 --server tls://jobs-2:4731`,
		Args: noArguments,
	}
	c.Flags().IntVarP(&count, "count", "c", 1, "how often; 0 is until it is told to stop")
	c.Flags().DurationVarP(&interval, "interval", "i", time.Second, "time between")
	c.Flags().DurationVarP(&timeout, "timeout", "t", 5*time.Second, "time for an answer")
	c.Flags().VarP(&out, "output", "o", "text, or json: an object for each answer")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if interval <= 0 || timeout <= 0 || count < 0 {
			return usageError("--interval and --timeout must be more than 0, and --count not less")
		}
		client, _, err := a.client()
		if err != nil {
			return err
		}
		defer client.Close()
		return a.pings(cmd.Context(), client, count, interval, timeout, out.json())
	}
	return c
}

// pings pings count times; the first failure decides about the exit code.
func (a *app) pings(ctx context.Context, client *clients.Client, count int, interval, timeout time.Duration, asJSON bool) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var first error
	for n := 1; ; n++ {
		if err := a.pingOnce(ctx, client, timeout, asJSON); err != nil && first == nil {
			first = err
		}
		if n == count || ctx.Err() != nil {
			return first
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return first
		}
	}
}

func (a *app) pingOnce(parent context.Context, client *clients.Client, timeout time.Duration, asJSON bool) (first error) {
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	for _, h := range client.Health(ctx) {
		if parent.Err() != nil {
			return first
		}
		p := pong{Server: h.Server, Millis: float64(h.Trip.Microseconds()) / 1000}
		if h.Err != nil {
			var code int
			code, p.Error = verdict(ctx, h.Err)
			p.Millis = 0
			if first == nil {
				first = &coded{code: code}
			}
		}
		if err := a.printPong(&p, asJSON); err != nil {
			return err
		}
	}
	return first
}

func (a *app) printPong(p *pong, asJSON bool) (err error) {
	switch {
	case asJSON:
		return writeJSON(a.Stdout, p)
	case p.Error != "":
		a.complain("%s", p.Error)
	default:
		_, err = fmt.Fprintf(a.Stdout, "%s  %.3f ms\n", p.Server, p.Millis)
	}
	return err
}

// A versionRow is what a server says that it is.
type versionRow struct {
	Server  string `json:"server"`
	Version string `json:"version"`
}

func (a *app) version() *cobra.Command {
	out := newOutput(outputText)
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, or with --server those of servers",
		GroupID: groupAdmin,
		Example: `  gearbolt version
  gearbolt version --server jobs-1 --server jobs-2`,
		Args: noArguments,
	}
	c.Flags().VarP(&out, "output", "o", "text or json")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("server") {
			if out.json() {
				return writeJSON(a.Stdout, map[string]string{"version": a.Version})
			}
			_, err := fmt.Fprintln(a.Stdout, "gearbolt "+a.Version)
			return err
		}
		return a.versions(cmd.Context(), out.json())
	}
	return c
}

// versions prints what each server says that it is.
func (a *app) versions(ctx context.Context, asJSON bool) error {
	set, err := a.servers()
	if err != nil {
		return err
	}
	all := each(ctx, set, (*admin.Conn).Version)
	rows := []versionRow{}
	for _, one := range all {
		if one.err != nil {
			continue
		}
		rows = append(rows, versionRow{one.server.Host, one.value})
		if !asJSON {
			fmt.Fprintf(a.Stdout, "%s  %s\n", one.server.Host, one.value)
		}
	}
	if asJSON {
		if err := writeJSON(a.Stdout, rows); err != nil {
			return err
		}
	}
	return a.failures(ctx, failed(all))
}
