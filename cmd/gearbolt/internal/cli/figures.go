package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A boundRow is a limit of a server.
type boundRow struct {
	Server string `json:"server"`
	admin.Bound
}

func (a *app) limits() *cobra.Command {
	return a.figures(&cobra.Command{
		Use:   "limits [SETTING...]",
		Short: "Show the limits of servers, and what of them is used",
		Long: `Shows the settings that bound what a server keeps, and how much of each is used.
Of those that count for a function, a connection or a job it is the most that one
of these has. What is over a limit is refused: see gearbolt counters. A gearmand
has no such limits.`,
		Example: `  gearbolt limits
  gearbolt limits max-jobs queue-memory --watch
  gearbolt limits -o json | jq '.[] | select(.limit > 0 and .used > 0.8 * .limit)'`,
		ValidArgsFunction: a.words(func(c *admin.Conn) (names []string, err error) {
			all, err := c.Bounds()
			for _, b := range all {
				names = append(names, b.Setting)
			}
			return names, err
		}),
	}, boundTable)
}

func boundTable(ctx context.Context, set *target.Set, names []string) (table, []failure) {
	all := each(ctx, set, (*admin.Conn).Bounds)
	t := table{columns: []string{"SETTING", ">LIMIT", ">USED"}}
	data, servers := []boundRow{}, []string(nil)
	for _, one := range all {
		for _, b := range one.value {
			if len(names) > 0 && !slices.Contains(names, b.Setting) {
				continue
			}
			data = append(data, boundRow{one.server.Host, b})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{b.Setting, itoa(b.Limit), itoa(b.Used)})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all)
}

// A counterRow is a counter of a server.
type counterRow struct {
	Server string `json:"server"`
	admin.Counter
}

func (a *app) counters() *cobra.Command {
	return a.figures(&cobra.Command{
		Use:   "counters [COUNTER...]",
		Short: "Show what servers have refused, dropped and cut off",
		Long: `Shows how often each limit was the reason to refuse something or to end a
connection, and what else has gone wrong, since the server's start. A gearmand
does not count.`,
		Example: `  gearbolt counters
  gearbolt counters jobs_refused_maxqueue --watch
  gearbolt counters -o json | jq -r '.[] | select(.count > 0) | .counter'`,
		ValidArgsFunction: a.words(func(c *admin.Conn) (names []string, err error) {
			all, err := c.Counters()
			for _, n := range all {
				names = append(names, n.Name)
			}
			return names, err
		}),
	}, counterTable)
}

func counterTable(ctx context.Context, set *target.Set, names []string) (table, []failure) {
	all := each(ctx, set, (*admin.Conn).Counters)
	t := table{columns: []string{"COUNTER", ">COUNT"}}
	data, servers := []counterRow{}, []string(nil)
	for _, one := range all {
		for _, n := range one.value {
			if len(names) > 0 && !slices.Contains(names, n.Name) {
				continue
			}
			data = append(data, counterRow{one.server.Host, n})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{n.Name, itoa(n.Count)})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all)
}

// figures makes c list what servers tell of themselves, all of it or what its
// arguments name.
func (a *app) figures(c *cobra.Command, show func(context.Context, *target.Set, []string) (table, []failure)) *cobra.Command {
	l := &listing{app: a}
	l.flags(c)
	c.RunE = func(cmd *cobra.Command, names []string) error {
		l.gather = func(ctx context.Context, set *target.Set) (table, []failure, error) {
			t, failures := show(ctx, set, names)
			return t, failures, nil
		}
		return l.run(cmd.Context())
	}
	return c
}

// words completes what servers answer.
func (a *app) words(ask func(*admin.Conn) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd, a, ask)
	}
}
