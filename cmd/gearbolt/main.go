// Command gearbolt is a job server that speaks Gearman, and the tools beside it.
// Called as gearmand it takes gearmand's place.
//
// The server exits with 0 when it was told to stop, with 1 when it was called wrongly
// or cannot start, and with 74 (EX_IOERR) when the store failed under it and
// nobody knows what is on disk. The exit codes of the tools stand in package cli.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gearbolt/cmd/gearbolt/internal/cli"
	"gearbolt/cmd/gearbolt/internal/target"
	"gearbolt/conf"
)

const (
	exitOK    = 0
	exitUsage = 1
	exitStore = 74
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// run hands the command line to the tools or to the server.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || filepath.Base(args[0]) == "gearmand" || cli.IsServers(args[1:]) {
		return runServer(args, stdout, stderr)
	}
	return cli.Run(cli.Process{
		Args:    args[1:],
		Stdin:   os.Stdin,
		Stdout:  stdout,
		Stderr:  stderr,
		Getenv:  os.Getenv,
		Version: ourVersion(),
		Server: func(words []string, stdout io.Writer) int {
			return runServer(append(args[:1:1], words...), stdout, stderr)
		},
	})
}

// runServer does what conf reads from the command line.
func runServer(args []string, stdout, stderr io.Writer) int {
	process := conf.Process{Args: args, Environ: serversEnvironment(), Root: os.Geteuid() == 0, Home: homeOf, Etc: "/etc"}
	inv, err := conf.Parse(process)
	if err == nil {
		switch inv.Command {
		case conf.Serve:
			return serve(process, inv, stderr)
		case conf.Help:
			err = inv.Usage(stdout)
		case conf.Version:
			_, err = fmt.Fprintln(stdout, versionLine(inv.DropIn))
		case conf.Show:
			err = inv.Print(stdout)
		case conf.Check:
			// Parse has checked everything.
		}
	}
	if err != nil {
		return fail(args, stderr, err)
	}
	return exitOK
}

// serversEnvironment is the environment without the variables of the tools,
// which are no settings of the server that somebody misspelt.
func serversEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(target.Variables, name)
	})
}

// fail prints err in one line behind the name that the program was called by.
func fail(args []string, stderr io.Writer, err error) int {
	name := "gearbolt"
	if len(args) > 0 {
		name = filepath.Base(args[0])
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return exitUsage
}
