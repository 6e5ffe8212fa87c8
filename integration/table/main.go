package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"gearbolt/integration/harness/process"
)

// Settings are the command line.
type settings struct {
	rig
	rows   string
	rounds int
	output string
	list   bool
	bare   bool
}

func main() {
	var s settings
	s.flags(flag.CommandLine)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := s.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func (s *settings) flags(f *flag.FlagSet) {
	f.StringVar(&s.rows, "rows", "", "`names` of the rows to measure, with commas between; those that take long are measured only when they are named")
	f.IntVar(&s.rounds, "rounds", 5, "rounds of each row")
	f.DurationVar(&s.duration, "d", 3*time.Second, "length of a round, where a row has no amount of its own")
	f.Float64Var(&s.scale, "scale", 1, "share of the amounts that the rows name: jobs that wait, connections that sleep")
	f.DurationVar(&s.limit, "limit", 90*time.Second, "how long one side of a round may take, and twenty times as long in rows that are long")
	f.StringVar(&s.gearbolt, "gearbolt", "", "our `binary`; without it, it is built")
	f.StringVar(&s.gearmand, "gearmand", "/usr/sbin/gearmand", "the reference's `binary`")
	f.BoolVar(&s.bare, "relay", false, "measure a bare relay, too: about what the machine allows a server in Go")
	f.StringVar(&s.dir, "dir", "", "`directory` on the disk that is to be measured; without it, that for temporary files")
	f.StringVar(&s.output, "o", "text", "text, markdown or json")
	f.BoolVar(&s.list, "list", false, "say what rows there are, and end")
}

func (s *settings) run(ctx context.Context) error {
	rows, err := choose(allRows(&s.rig), strings.FieldsFunc(s.rows, func(r rune) bool { return r == ',' }))
	if err != nil {
		return err
	}
	if s.list {
		return list(os.Stdout, allRows(&s.rig))
	}
	print := printers[s.output]
	if print == nil {
		return fmt.Errorf("output %q is none of text, markdown and json", s.output)
	}
	if s.rounds < 1 || s.duration <= 0 || s.scale <= 0 {
		return fmt.Errorf("%d rounds of %v at a scale of %v measure nothing", s.rounds, s.duration, s.scale)
	}
	if s.dir, err = os.MkdirTemp(s.dir, "gearbolt-table-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	if err := s.binaries(); err != nil {
		return err
	}
	if s.bare {
		for i := range rows {
			rows[i].addRelay()
		}
	}
	began := time.Now()
	t := &table{Machine: machine(ctx, &s.rig), Rounds: s.rounds, Seconds: s.duration.Seconds(), Scale: s.scale, Date: began.UTC().Format(time.DateOnly)}
	for _, r := range rows {
		if ctx.Err() != nil {
			break // what is measured is shown
		}
		t.Figures = append(t.Figures, r.run(ctx, &s.rig, s.rounds)...)
	}
	fmt.Fprintf(os.Stderr, "measured in %v\n", time.Since(began).Round(time.Second))
	return print(os.Stdout, t)
}

// binaries finds what is to be measured.
func (s *settings) binaries() (err error) {
	if s.gearbolt == "" {
		s.gearbolt, err = process.Build(s.dir)
	} else {
		s.gearbolt, err = exec.LookPath(s.gearbolt)
	}
	if err != nil {
		return err
	}
	if s.bare {
		if s.relay, err = process.BuildCommand(s.dir, "gearbolt/integration/relay"); err != nil {
			return err
		}
	}
	if s.gearmand, err = exec.LookPath(s.gearmand); err != nil {
		return fmt.Errorf("the reference is missing: %w; install gearman-job-server, or name it with --gearmand", err)
	}
	return nil
}

// choose returns the rows with the given names; without any, all that do not
// take long.
func choose(all []row, names []string) (chosen []row, err error) {
	for _, r := range all {
		if slices.Contains(names, r.name) || len(names) == 0 && !r.long {
			chosen = append(chosen, r)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(r row) bool { return r.name == name }) {
			var known []string
			for _, r := range all {
				known = append(known, r.name)
			}
			return nil, fmt.Errorf("there is no row %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}
