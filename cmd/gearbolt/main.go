// Command gearbolt is a job server that speaks Gearman. Called as gearmand it
// takes gearmand's place.
//
// It exits with 0 when it was told to stop, with 1 when it was called wrongly
// or cannot start, and with 74 (EX_IOERR) when the store failed under it and
// nobody knows what is on disk.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gearbolt/conf"
)

const (
	exitOK    = 0
	exitUsage = 1
	exitStore = 74
)

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	process := conf.Process{Args: args, Environ: os.Environ(), Root: os.Geteuid() == 0, Etc: "/etc"}
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

// fail prints err in one line behind the name that the program was called by.
func fail(args []string, stderr io.Writer, err error) int {
	name := "gearbolt"
	if len(args) > 0 {
		name = filepath.Base(args[0])
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return exitUsage
}
