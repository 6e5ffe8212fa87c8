package cli

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// complain writes a line to standard error.
func (a *app) complain(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "gearbolt: "+format+"\n", args...)
}

// isTerminal reports whether what is written there is for eyes.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// width returns how many columns a terminal has.
func width(w any) int {
	if f, ok := w.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}
