// Package cli is the command line of the program: submitting jobs, working,
// looking after servers, measuring them. The server's own commands it leaves to
// who calls it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gearbolt/cmd/gearbolt/internal/target"
)

// A Process is what the commands have from outside.
type Process struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Version        string

	// Server runs one of the commands that are the server's: args begins with
	// its name. It returns the exit code.
	Server func(args []string, stdout io.Writer) int
}

// An app is one run of the command line.
type app struct {
	Process
	target target.Options
	code   int // of the server's commands
}

// serverCommands are those that the server reads by itself.
var serverCommands = map[string]string{
	"serve":    "Run the server",
	"config":   "Print the server's settings, and where each comes from",
	"gearmand": "Run the server with gearmand's options",
}

// IsServers reports whether a command line belongs to the server whole: one of
// its commands, or none, with its flags.
func IsServers(args []string) bool {
	if len(args) == 0 || serverCommands[args[0]] != "" {
		return true
	}
	return strings.HasPrefix(args[0], "-") && !isOurs(args[0])
}

// isOurs reports whether a flag may stand in front of a command of this
// package.
func isOurs(flag string) bool {
	root := new(app).root()
	name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
	if !strings.HasPrefix(flag, "--") && name != "" {
		return root.PersistentFlags().ShorthandLookup(name[:1]) != nil || name[0] == 'h'
	}
	return root.PersistentFlags().Lookup(name) != nil || name == "help"
}

// Run runs a command and returns the exit code. It writes an error in one line.
func Run(p Process) int {
	a := &app{Process: p}
	root := a.root()
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	ctx, stop := interruptible(context.Background())
	defer stop()
	err := root.ExecuteContext(ctx)
	if err == nil {
		return a.code
	}
	code, text := verdict(ctx, err)
	if text != "" {
		fmt.Fprintf(p.Stderr, "gearbolt: %s\n", text)
	}
	return code
}

const (
	groupJobs  = "jobs"
	groupAdmin = "admin"
	groupServe = "serve"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "gearbolt",
		Short: "A job server that speaks Gearman, and its tools",
		Long: `Gearbolt is a job server that speaks Gearman: clients call functions, workers
do them. This program is the server, and all that one needs beside it in a
terminal. Without a command it is the server.`,
		Example: `  gearbolt                                  # serve on 127.0.0.1:4730
  gearbolt work wc -n 4 -- wc -c            # do the jobs of "wc", four at a time
  gearbolt submit wc < file                 # call it, and print the result
  gearbolt status --watch                   # what waits, runs and works`,
		Args:          a.unknownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%s; %s --help tells more", oneLine(err.Error()), cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: groupJobs, Title: "Calling and working:"},
		&cobra.Group{ID: groupAdmin, Title: "Looking after servers:"},
		&cobra.Group{ID: groupServe, Title: "Serving:"},
	)
	a.targetFlags(root)
	group := func(id string, all ...*cobra.Command) {
		for _, c := range all {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	group(groupJobs, a.submit(), a.work(), a.ping(), a.bench())
	group(groupAdmin, a.status(), a.workers(), a.jobs(), a.show(), a.limits(), a.counters(),
		a.cancel(), a.maxqueue(), a.maxqueuebytes(), a.createFunction(), a.dropFunction(), a.shutdown(), a.store())
	for name, short := range serverCommands {
		group(groupServe, a.serverCommand(name, short))
	}
	root.AddCommand(a.version(), a.man(root), a.guard())
	return root
}

// unknownCommand is for arguments that are no command.
func (a *app) unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "gearbolt --help lists all"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError("command %q is unknown; %s", args[0], hint)
}

// serverCommand stands for a command of the server in help and completion.
func (a *app) serverCommand(name, short string) *cobra.Command {
	run := func(args []string) { a.code = a.Server(append([]string{name}, args...), a.Stdout) }
	c := &cobra.Command{
		Use:                name + " [flags]",
		Short:              short,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			run(args)
			return nil
		},
	}
	c.SetHelpFunc(func(*cobra.Command, []string) { run([]string{"--help"}) })
	return c
}

// interruptible returns a context that SIGINT or SIGTERM ends, with an
// [interrupt] as its cause. The commands that want more of signals take them
// themselves.
func interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals) // the next one ends the process
			cancel(interrupt{s.(syscall.Signal)})
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// An interrupt is a signal that ended a command.
type interrupt struct{ syscall.Signal }

func (i interrupt) Error() string { return "ended by signal: " + i.Signal.String() }

// interrupted returns the signal that ended ctx.
func interrupted(ctx context.Context) (i interrupt, ok bool) {
	ok = errors.As(context.Cause(ctx), &i)
	return i, ok
}
