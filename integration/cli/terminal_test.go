package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
)

func pipe(t *testing.T) (*bufio.Reader, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return bufio.NewReader(r), w
}

// terminal returns the two ends of a pseudo-terminal.
func terminal(t *testing.T) (keeper, screen *os.File) {
	t.Helper()
	keeper, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keeper.Close() })
	if err := unix.IoctlSetPointerInt(int(keeper.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keeper.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return keeper, screen
}

// On a terminal there is a bar, and a line end behind the result.
func TestProgressBar(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	s.works("f", "--", "sh", "-c", "echo 1/4 >&3; echo 4/4 >&3; printf done")
	keeper, screen := terminal(t)
	cmd := s.command("submit", "f", "x")
	cmd.Stdout, cmd.Stderr = screen, screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	screen.Close()
	shown, _ := io.ReadAll(keeper) // the end of a terminal is an error
	s.exits(cmd, 0)
	if got := string(shown); !strings.Contains(got, "100% 4/4") || !strings.HasSuffix(got, "\x1b[Kdone\r\n") {
		t.Errorf("got %q", got)
	}
}
