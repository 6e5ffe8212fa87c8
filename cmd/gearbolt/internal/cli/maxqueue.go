package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
	"gearbolt/conf"
)

func (a *app) maxqueue() *cobra.Command {
	l := &listing{app: a}
	c := &cobra.Command{
		Use:   "maxqueue [FUNCTION [LIMIT | HIGH NORMAL LOW]]",
		Short: "Show or set how many jobs of a function servers keep",
		Long: `Shows the limits on the number of jobs, or sets those of a function: one for all
priorities, or one for each. A job is refused when its function has as many,
running ones included, as the limit of the job's priority says. "none" is no
limit. A Gearbolt keeps limits over a restart, and tells them; a gearmand does
neither.`,
		Example: `  gearbolt maxqueue                     # all limits
  gearbolt maxqueue mail                # that of one function
  gearbolt maxqueue mail 10000
  gearbolt maxqueue mail none 10000 500 # high priority always gets in
  gearbolt maxqueue mail none`,
		Args:              arguments(0, 4),
		ValidArgsFunction: first(a.functionNames),
	}
	l.flags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return a.setLimits(cmd.Context(), args[0], args[1:])
		}
		l.gather = func(ctx context.Context, set *target.Set) (table, []failure, error) {
			t, failures := limitTable(ctx, set, args)
			return t, failures, nil
		}
		return l.run(cmd.Context())
	}
	return c
}

func (a *app) setLimits(ctx context.Context, function string, texts []string) error {
	if len(texts) == 2 {
		return usageError("give one limit for all priorities, or three: high, normal and low")
	}
	limits := make([]int, 3)
	for i := range limits {
		text := texts[min(i, len(texts)-1)]
		if text == "none" {
			continue
		}
		var err error
		if limits[i], err = number(text); err != nil {
			return err
		}
	}
	return a.tell(ctx, func(c *admin.Conn) error { return c.SetLimits(function, limits[0], limits[1], limits[2]) })
}

// A limitRow is the limits of a function at a server.
type limitRow struct {
	Server   string `json:"server"`
	Function string `json:"function"`
	admin.Limits
}

func limitTable(ctx context.Context, set *target.Set, names []string) (table, []failure) {
	all := each(ctx, set, (*admin.Conn).Limits)
	t := table{columns: []string{"FUNCTION", ">HIGH", ">NORMAL", ">LOW"}}
	data, servers := []limitRow{}, []string(nil)
	for _, one := range all {
		for _, name := range sortedKeys(one.value) {
			if len(names) > 0 && !slices.Contains(names, name) {
				continue
			}
			limits := one.value[name]
			data = append(data, limitRow{one.server.Host, name, limits})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{name, itoa(limits.High), itoa(limits.Normal), itoa(limits.Low)})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all)
}

func (a *app) maxqueuebytes() *cobra.Command {
	l := &listing{app: a}
	c := &cobra.Command{
		Use:   "maxqueuebytes [FUNCTION [BYTES]]",
		Short: "Show or set how many bytes the jobs of a function may have",
		Long: `Shows the limits on the payloads of a function's jobs, in bytes, or sets that of a
function. A job is refused when its function's jobs, running ones included, would
have more than that together. "none" is no limit. A Gearbolt keeps limits over a
restart; a gearmand does not know them.`,
		Example: `  gearbolt maxqueuebytes                # all limits
  gearbolt maxqueuebytes mail           # that of one function
  gearbolt maxqueuebytes mail 64MiB
  gearbolt maxqueuebytes mail none`,
		Args:              arguments(0, 2),
		ValidArgsFunction: first(a.functionNames),
	}
	l.flags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 2 {
			return a.setByteLimit(cmd.Context(), args[0], args[1])
		}
		l.gather = func(ctx context.Context, set *target.Set) (table, []failure, error) {
			t, failures := byteLimitTable(ctx, set, args)
			return t, failures, nil
		}
		return l.run(cmd.Context())
	}
	return c
}

func (a *app) setByteLimit(ctx context.Context, function, text string) (err error) {
	var bytes int64
	if text != "none" {
		if bytes, err = conf.ParseSize(text); err != nil {
			return usageError("%q %v; none is no limit", text, err)
		}
	}
	return a.tell(ctx, func(c *admin.Conn) error { return c.SetByteLimit(function, bytes) })
}

// A byteLimitRow is the limit of a function at a server, in bytes.
type byteLimitRow struct {
	Server   string `json:"server"`
	Function string `json:"function"`
	Bytes    int    `json:"bytes"`
}

func byteLimitTable(ctx context.Context, set *target.Set, names []string) (table, []failure) {
	all := each(ctx, set, (*admin.Conn).ByteLimits)
	t := table{columns: []string{"FUNCTION", ">BYTES"}}
	data, servers := []byteLimitRow{}, []string(nil)
	for _, one := range all {
		for _, name := range sortedKeys(one.value) {
			if len(names) > 0 && !slices.Contains(names, name) {
				continue
			}
			data = append(data, byteLimitRow{one.server.Host, name, one.value[name]})
			servers = append(servers, one.server.Host)
			t.rows = append(t.rows, []string{name, itoa(one.value[name])})
		}
	}
	t.data = data
	serverColumn(set, &t, servers)
	return t, failed(all)
}

// first completes only the first argument.
func first(words cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(cmd, args, begun)
	}
}
