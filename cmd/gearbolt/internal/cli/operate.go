package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

func (a *app) cancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel HANDLE...",
		Short: "Give up jobs",
		Long: `Gives up jobs. One that waits is gone at once, and its clients hear that it failed.
One that runs goes on at its worker, but nobody hears of it any more. A handle
with a server (server//handle, as submit --background prints it where there are
several) is cancelled there, another at whichever server knows it.`,
		Example: `  gearbolt cancel H:web-1:3-17
  gearbolt jobs mail -o json | jq -r '.[].handle' | xargs gearbolt cancel`,
		Args:              arguments(1, -1),
		ValidArgsFunction: a.handles,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := a.servers()
			if err != nil {
				return err
			}
			for _, text := range args {
				err = errors.Join(err, a.cancelOne(cmd.Context(), set, text))
			}
			return err
		},
	}
}

// cancelOne gives up a job at its server, or at the first that knows it. There is
// none only if no server knows it that could.
func (a *app) cancelOne(ctx context.Context, set *target.Set, text string) error {
	handle, servers := locate(set, text)
	var failed error
	for _, server := range servers {
		_, err := talk(ctx, set, server, func(c *admin.Conn) (struct{}, error) { return struct{}{}, c.Cancel(handle) })
		if err == nil {
			return nil
		}
		if failed == nil || isUnknownJob(failed) {
			failed = err
		}
	}
	code, why := verdict(ctx, failed)
	if isUnknownJob(failed) {
		why = errUnknownJob.text
	}
	a.complain("%s: %s", text, why)
	return &coded{code: code}
}

func isUnknownJob(err error) bool {
	var r *admin.Refusal
	return errors.As(err, &r) && r.Code == "UNKNOWN_JOB"
}

// locate reads a handle and finds the servers that may have the job.
func locate(set *target.Set, text string) (handle string, servers []target.Address) {
	h := clients.ParseHandle(text)
	if server, ok := set.Named(h.Server); ok {
		return h.ID, []target.Address{server}
	}
	if server, err := target.Parse(h.Server, set.Secure); h.Server != "" && err == nil {
		return h.ID, []target.Address{server}
	}
	return h.ID, set.Servers
}

func (a *app) createFunction() *cobra.Command {
	return &cobra.Command{
		Use:     "create-function FUNCTION...",
		Short:   "Make servers list a function before it has a job or a worker",
		Example: "  gearbolt create-function mail",
		Args:    arguments(1, -1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.forEach(cmd.Context(), names, (*admin.Conn).CreateFunction)
		},
	}
}

func (a *app) dropFunction() *cobra.Command {
	return &cobra.Command{
		Use:   "drop-function FUNCTION...",
		Short: "Take a function without workers and jobs off the list",
		Long: `Takes a function off the list of a server. A Gearbolt refuses while it has workers
or jobs; a gearmand loses the jobs that wait.`,
		Example:           "  gearbolt drop-function mail",
		Args:              arguments(1, -1),
		ValidArgsFunction: a.functionNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.forEach(cmd.Context(), names, (*admin.Conn).DropFunction)
		},
	}
}

// forEach does something about each name at all servers.
func (a *app) forEach(ctx context.Context, names []string, do func(*admin.Conn, string) error) error {
	return a.tell(ctx, func(c *admin.Conn) error {
		for _, name := range names {
			if err := do(c, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *app) shutdown() *cobra.Command {
	graceful := false
	c := &cobra.Command{
		Use:   "shutdown",
		Short: "End a server, through its unix socket",
		Long: `Ends a server of this machine: at once, its jobs in the foreground lost, or with
--graceful when its last job is done. A Gearbolt obeys on a unix socket only, and
a gearmand never does; both obey SIGTERM, and SIGUSR1 for a graceful end.`,
		Example: `  gearbolt shutdown --server unix:/run/gearbolt.sock
  gearbolt shutdown --graceful --server unix:/run/gearbolt.sock`,
		Args: noArguments,
	}
	c.Flags().BoolVar(&graceful, "graceful", false, "when its last job is done; it takes no new connections meanwhile")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.tell(cmd.Context(), func(c *admin.Conn) error {
			err := c.Shutdown(graceful)
			if admin.IsUnknown(err) {
				return &coded{exitRefused, "the server does not obey here; give its unix socket (--server unix:/path), or send its process SIGTERM"}
			}
			return err
		})
	}
	return c
}
