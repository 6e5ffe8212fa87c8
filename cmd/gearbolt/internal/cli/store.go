package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/store"
)

// A storing is one run of a command on the files of a store.
type storing struct {
	*app
	out      outputFlag
	progress bool
}

func (a *app) store() *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Check, salvage, compact and back up the files of a server",
		Example: `  gearbolt store check /var/lib/gearbolt
  gearbolt store backup monday`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(a.storeCheck(), a.storeSalvage(), a.storeCompact(), a.storeBackup())
	return c
}

// storeCommand adds to c what all the commands have in common.
func (a *app) storeCommand(c *cobra.Command, run func(ctx context.Context, s *storing, o store.Output, args []string) error) *cobra.Command {
	s := &storing{app: a, out: newOutput(outputText)}
	c.Flags().VarP(&s.out, "output", "o", "text or json")
	c.Flags().BoolVar(&s.progress, "progress", false, "show progress on standard error where that is no terminal, too")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		show, end := s.line(a.Stderr)
		defer end()
		return run(cmd.Context(), s, store.Output{Out: &behind{a.Stdout, end}, Show: show, JSON: s.out.json()}, args)
	}
	return c
}

// line returns how progress is shown, and how it is taken away in the end.
func (s *storing) line(w io.Writer) (show func(string), end func()) {
	line := newBar(w, true)
	if line != nil {
		return line.say, line.clear
	}
	if s.progress {
		show = func(text string) { fmt.Fprintln(w, text) }
	}
	return show, func() {}
}

// behind writes what comes after the line of progress.
type behind struct {
	io.Writer
	end func()
}

func (b *behind) Write(p []byte) (int, error) {
	b.end()
	return b.Writer.Write(p)
}

// errDamaged is the end of a command that has told what is damaged.
var errDamaged = &coded{code: exitDamaged}

func (a *app) storeCheck() *cobra.Command {
	return a.storeCommand(&cobra.Command{
		Use:   "check PATH",
		Short: "Look for damage in a store that no server uses",
		Long: `Reads all of a store and tells what is in it and what is damaged. PATH is a data
directory, or a store's file, such as a backup. Nothing is changed. No server may
use the store: of a running one, check a backup.

Exit code 0: clean; 8: damaged; 1: it could not be checked.`,
		Example: `  gearbolt store check /var/lib/gearbolt
  gearbolt store check /var/lib/gearbolt/backups/monday -o json`,
		Args: arguments(1, 1),
	}, func(ctx context.Context, _ *storing, o store.Output, args []string) error {
		clean, err := store.Check(ctx, args[0], o)
		if err == nil && !clean {
			return errDamaged
		}
		return err
	})
}

func (a *app) storeSalvage() *cobra.Command {
	certain := false
	c := a.storeCommand(&cobra.Command{
		Use:   "salvage IN OUT",
		Short: "Make a good store of what is left in a damaged one",
		Long: `Makes a new data directory OUT, which must not exist, of what can be read of IN: a
data directory, or a store's file. IN is only read. Start a server with OUT as its
--data-dir, or put OUT in the place of IN.

What the store's tree leads to is recovered as it is. What damaged pages had is
looked for in older versions of them that are still in the file: such jobs may
have been done since, and would run again. --certain leaves those out. Nothing
else that was done comes back, and nothing that was never stored.

Exit code 0: nothing was damaged; 8: something was, and what could be recovered is
in OUT; 1: there is no OUT.`,
		Example: `  gearbolt store salvage /var/lib/gearbolt /var/lib/gearbolt.salvaged`,
		Args:    arguments(2, 2),
	}, func(ctx context.Context, _ *storing, o store.Output, args []string) error {
		whole, err := store.Salvage(ctx, args[0], args[1], certain, o)
		if err == nil && !whole {
			return errDamaged
		}
		return err
	})
	c.Flags().BoolVar(&certain, "certain", false, "leave out jobs that may have been done before")
	return c
}

func (a *app) storeCompact() *cobra.Command {
	return a.storeCommand(&cobra.Command{
		Use:   "compact DIRECTORY",
		Short: "Give the free pages of a store back to the disk",
		Long: `Writes the file of a store anew, without its free pages, and puts it in the place
of the old one when it is on the disk and has been read back. Until then the disk
needs room for both. No server may use the store; whatever happens, there is a
good one at any time.`,
		Example: `  gearbolt store compact /var/lib/gearbolt`,
		Args:    arguments(1, 1),
	}, func(ctx context.Context, _ *storing, o store.Output, args []string) error {
		return store.Compact(ctx, args[0], o)
	})
}

func (a *app) storeBackup() *cobra.Command {
	dataDir := ""
	c := a.storeCommand(&cobra.Command{
		Use:   "backup NAME",
		Short: "Copy a store, also while its server runs",
		Long: `Has a running server write a copy of its store into the directory "backups" of its
data directory: all that it had acknowledged when the copy began, read through and
on the disk. A server does so for its unix socket only. Meanwhile its file grows
by what is written. With --data-dir the store of a server that is stopped is
copied.

To restore a backup, copy it to gearbolt.db in an empty directory and start a
server with that as its --data-dir. Its handles are others than the original's.`,
		Example: `  gearbolt store backup monday --server unix:/run/gearbolt.sock
  gearbolt store backup monday --data-dir /var/lib/gearbolt`,
		Args: arguments(1, 1),
	}, func(ctx context.Context, s *storing, o store.Output, args []string) error {
		if dataDir != "" {
			return store.BackUp(ctx, dataDir, args[0], o)
		}
		return s.askForBackup(ctx, args[0], o)
	})
	c.Flags().StringVar(&dataDir, "data-dir", "", "the data `directory` of a server that is stopped")
	c.MarkFlagDirname("data-dir")
	return c
}

// askForBackup has the server make the copy, however long that takes.
func (s *storing) askForBackup(ctx context.Context, name string, o store.Output) error {
	set, err := s.servers()
	if err != nil {
		return err
	}
	if len(set.Servers) > 1 {
		return usageError("one server is backed up; give one --server")
	}
	dialing, cancel := context.WithTimeout(ctx, answerTime)
	nc, err := set.Dial(dialing, set.Servers[0])
	cancel()
	if err != nil {
		return err
	}
	c := admin.New(ctx, nc)
	defer c.Close()
	if o.Show != nil {
		o.Show("the server is copying its store")
	}
	path, size, err := c.Backup(name)
	if admin.IsUnknown(err) {
		return &coded{exitRefused, "the server does not obey here; give its unix socket (--server unix:/path)"}
	}
	if err != nil {
		return err
	}
	return o.Tell(store.Backup{Server: set.Servers[0].Host, Path: path, Size: size})
}
