package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gearbolt/cmd/gearbolt/internal/target"
)

// A listing is a command that shows a table, once or again and again.
type listing struct {
	*app
	out    outputFlag
	every  time.Duration // 0: once
	gather func(ctx context.Context, set *target.Set) (table, []failure, error)
}

// flags adds what all listings have in common.
func (l *listing) flags(c *cobra.Command) {
	l.out = newOutput(outputTable)
	c.Flags().VarP(&l.out, "output", "o", "table or json")
	c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().DurationVarP(&l.every, "watch", "w", 0, "show it again and again, with so much time between")
	c.Flags().Lookup("watch").NoOptDefVal = "2s"
}

func (l *listing) run(ctx context.Context) error {
	set, err := l.servers()
	if err != nil {
		return err
	}
	if l.every < 0 {
		return usageError("--watch=%v is in the past; give a length of time such as 2s", l.every)
	}
	if l.every == 0 {
		return l.show(ctx, set)
	}
	return l.watch(ctx, set)
}

// show shows what the servers say, and then what is wrong with some.
func (l *listing) show(ctx context.Context, set *target.Set) error {
	t, failures, err := l.gather(ctx, set)
	if err != nil {
		return err
	}
	if len(failures) < len(set.Servers) {
		if err := l.write(&t); err != nil {
			return err
		}
	}
	return l.failures(ctx, failures)
}

func (l *listing) write(t *table) error {
	if l.out.json() {
		return writeJSON(l.Stdout, t.data)
	}
	return t.write(l.Stdout)
}

// home clears a terminal.
const home = "\x1b[H\x1b[2J"

// watch goes on until it is told to stop. A server that is away may come back.
func (l *listing) watch(ctx context.Context, set *target.Set) error {
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	for {
		if isTerminal(l.Stdout) && !l.out.json() {
			fmt.Fprintf(l.Stdout, "%severy %v: %s\n\n", home, l.every, time.Now().Format(time.DateTime))
		}
		err := l.show(ctx, set)
		if _, ok := interrupted(ctx); ok {
			return nil
		}
		if own, ok := err.(*coded); err != nil && (!ok || own.text != "") {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// serverColumn puts the server in front of each row where there are several.
func serverColumn(set *target.Set, t *table, servers []string) {
	if len(set.Servers) < 2 {
		return
	}
	t.columns = append([]string{"SERVER"}, t.columns...)
	for i := range t.rows {
		t.rows[i] = append([]string{servers[i]}, t.rows[i]...)
	}
}

// itoa shows a number, and a zero in a way that the eye skips.
func itoa(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}
