package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

// answerTime bounds a conversation of text commands.
const answerTime = 30 * time.Second

func (a *app) targetFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	o := &a.target
	f.StringSliceVarP(&o.Servers, "server", "s", nil, "`address` of a server: host:port, tls://host:port or unix:/path; may be repeated\n(else GEARBOLT_SERVERS, GEARMAN_SERVERS, 127.0.0.1:4730)")
	f.DurationVar(&o.Timeout, "connect-timeout", 5*time.Second, "how long opening a connection may take")
	f.BoolVar(&o.Secure, "tls", false, "speak TLS where an address does not say")
	f.StringVar(&o.CA, "tls-ca", "", "PEM `file` of who signs servers' certificates (else GEARBOLT_TLS_CA, the system's)")
	f.StringVar(&o.Certificate, "tls-cert", "", "PEM `file` of the client's certificate (else GEARBOLT_TLS_CERT)")
	f.StringVar(&o.Key, "tls-key", "", "PEM `file` of its key (else GEARBOLT_TLS_KEY, the certificate's file)")
	f.StringVar(&o.ServerName, "tls-name", "", "the `name` that the server's certificate is for, if not its host")
	for _, file := range []string{"tls-ca", "tls-cert", "tls-key"} {
		root.MarkPersistentFlagFilename(file)
	}
}

// servers finds the servers of the command.
func (a *app) servers() (*target.Set, error) {
	set, err := a.target.Resolve(a.Getenv)
	if err != nil {
		return nil, usageError("%v", err)
	}
	return set, nil
}

// config is what package clients needs to know.
func config(set *target.Set) clients.Config {
	return clients.Config{
		Servers:     set.URLs(),
		TLS:         set.TLS,
		DialTimeout: set.Timeout,
		Logger:      slog.New(slog.DiscardHandler),
	}
}

// client returns a client of the servers, and the servers. Errors are the
// callers' to hear; nothing is logged.
func (a *app) client() (*clients.Client, *target.Set, error) {
	set, err := a.servers()
	if err != nil {
		return nil, nil, err
	}
	client, err := clients.NewClient(config(set))
	return client, set, err
}

// An answered is what one server said.
type answered[T any] struct {
	server target.Address
	value  T
	err    error
}

// each asks all servers at once and returns their answers in order.
func each[T any](ctx context.Context, set *target.Set, ask func(*admin.Conn) (T, error)) []answered[T] {
	all := make([]answered[T], len(set.Servers))
	var wg sync.WaitGroup
	for i, server := range set.Servers {
		wg.Go(func() {
			value, err := talk(ctx, set, server, ask)
			all[i] = answered[T]{server, value, err}
		})
	}
	wg.Wait()
	return all
}

// talk opens a connection for one conversation.
func talk[T any](ctx context.Context, set *target.Set, server target.Address, ask func(*admin.Conn) (T, error)) (value T, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	nc, err := set.Dial(ctx, server)
	if err != nil {
		return value, err
	}
	c := admin.New(ctx, nc)
	defer c.Close()
	return ask(c)
}

// tell says something to all servers, of which nothing but success is wanted.
func (a *app) tell(ctx context.Context, say func(*admin.Conn) error) error {
	set, err := a.servers()
	if err != nil {
		return err
	}
	all := each(ctx, set, func(c *admin.Conn) (struct{}, error) { return struct{}{}, say(c) })
	return a.failures(ctx, failed(all))
}

// A failure is what a server could not be asked.
type failure struct {
	server target.Address
	err    error
}

func failed[T any](all []answered[T]) (list []failure) {
	for _, one := range all {
		if one.err != nil {
			list = append(list, failure{one.server, one.err})
		}
	}
	return list
}

// failures prints what went wrong, a line for each server, and returns an error
// with the code of the first.
func (a *app) failures(ctx context.Context, all []failure) error {
	code := exitOK
	for _, f := range all {
		c, text := verdict(ctx, f.err)
		a.complain("%s: %s", f.server.Host, text)
		if code == exitOK {
			code = c
		}
	}
	if code == exitOK {
		return nil
	}
	return &coded{code: code}
}

// functionNames completes the names of functions that servers know.
func (a *app) functionNames(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(cmd, a, func(c *admin.Conn) (names []string, err error) {
		all, err := c.Functions()
		for _, f := range all {
			names = append(names, f.Name)
		}
		return names, err
	})
}

// handles completes the handles of jobs.
func (a *app) handles(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(cmd, a, func(c *admin.Conn) (handles []string, err error) {
		all, err := c.Jobs()
		for _, j := range all {
			handles = append(handles, j.Handle)
		}
		return handles, err
	})
}

// complete asks the servers for words, in the time that a finger waits.
func complete(cmd *cobra.Command, a *app, ask func(*admin.Conn) ([]string, error)) (words []string, _ cobra.ShellCompDirective) {
	set, err := a.servers()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 500*time.Millisecond)
	defer cancel()
	for _, one := range each(ctx, set, ask) {
		words = append(words, one.value...)
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
