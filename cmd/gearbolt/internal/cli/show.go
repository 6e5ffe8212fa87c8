package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A shownJob is all that is known of one job.
type shownJob struct {
	Server      string     `json:"server,omitempty"`
	Handle      string     `json:"handle,omitempty"`
	Unique      string     `json:"unique,omitempty"`
	Running     bool       `json:"running"`
	Numerator   uint64     `json:"numerator"`
	Denominator uint64     `json:"denominator"`
	Waiting     int        `json:"waiting"`
	Details     *admin.Job `json:"details,omitempty"`
}

func (a *app) show() *cobra.Command {
	out := newOutput(outputText)
	unique := false
	c := &cobra.Command{
		Use:   "show HANDLE",
		Short: "Show one job",
		Long: `Shows what servers know of a job: whether it waits or runs, how far it is, and,
where the server tells, its function, worker and clients. With --unique the
argument is a unique id. A job that is done is not known any more: exit code 4.`,
		Example: `  gearbolt show H:web-1:3-17
  gearbolt show --unique invoice-4711
  while gearbolt show "$handle" >/dev/null 2>&1; do sleep 1; done   # until it is done`,
		Args:              arguments(1, 1),
		ValidArgsFunction: a.handles,
	}
	c.Flags().BoolVarP(&unique, "unique", "u", false, "the argument is a unique id")
	c.Flags().VarP(&out, "output", "o", "text or json")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		find := a.findHandle
		if unique {
			find = a.findUnique
		}
		job, err := find(cmd.Context(), args[0])
		switch {
		case err != nil:
			return err
		case out.json():
			return writeJSON(a.Stdout, job)
		}
		_, err = fmt.Fprint(a.Stdout, job)
		return err
	}
	return c
}

var errUnknownJob = &coded{exitRefused, "there is no such job (any more)"}

func (a *app) findHandle(ctx context.Context, text string) (*shownJob, error) {
	set, err := a.servers()
	if err != nil {
		return nil, err
	}
	handle, servers := locate(set, text)
	set.Servers = servers
	status, err := a.ask(ctx, set, func(ctx context.Context, c *clients.Client) (clients.Status, error) {
		return c.Status(ctx, clients.Handle{ID: handle})
	})
	if err != nil {
		return nil, err
	}
	job := shown(status)
	job.Handle = handle
	job.addDetails(ctx, set, func(j *admin.Job) bool { return j.Handle == handle })
	return job, nil
}

func (a *app) findUnique(ctx context.Context, id string) (*shownJob, error) {
	set, err := a.servers()
	if err != nil {
		return nil, err
	}
	status, err := a.ask(ctx, set, func(ctx context.Context, c *clients.Client) (clients.Status, error) {
		return c.StatusUnique(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	job := shown(status)
	job.Unique = id
	job.addDetails(ctx, set, func(j *admin.Job) bool { return j.Detailed && j.Unique == id })
	return job, nil
}

// ask asks for a job's status.
func (a *app) ask(ctx context.Context, set *target.Set, question func(context.Context, *clients.Client) (clients.Status, error)) (clients.Status, error) {
	client, err := clients.NewClient(config(set))
	if err != nil {
		return clients.Status{}, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	status, err := question(ctx, client)
	if err == nil && !status.Known {
		err = errUnknownJob
	}
	return status, err
}

func shown(s clients.Status) *shownJob {
	return &shownJob{Running: s.Running, Numerator: s.Numerator, Denominator: s.Denominator, Waiting: s.Waiting}
}

// addDetails looks the job up in the servers' lists. A server that does not
// tell has said what it knows.
func (j *shownJob) addDetails(ctx context.Context, set *target.Set, is func(*admin.Job) bool) {
	for _, one := range each(ctx, set, (*admin.Conn).Jobs) {
		for i := range one.value {
			if d := &one.value[i]; is(d) {
				j.Server, j.Handle = one.server.Host, d.Handle
				j.Details = d
				if d.Detailed {
					j.Unique, j.Waiting = d.Unique, d.Waiting
				}
				return
			}
		}
	}
}

// String is the job in lines for people.
func (j *shownJob) String() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, printable(value))
		}
	}
	line("handle", j.Handle)
	line("server", j.Server)
	line("unique", j.Unique)
	state := "waits"
	if j.Running {
		state = "runs"
	}
	line("state", state)
	if j.Denominator > 0 {
		line("progress", fmt.Sprintf("%d/%d", j.Numerator, j.Denominator))
	}
	if d := j.Details; d != nil {
		line("function", d.Function)
		line("kind", kindOf(*d))
		line("worker", d.Worker)
		line("lost runs", fmt.Sprint(d.Attempts))
	}
	line("clients", fmt.Sprint(j.Waiting))
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
