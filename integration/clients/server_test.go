package clients

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

var chosen = flag.String("server", "gearbolt", "the server under test: gearbolt or gearmand")

// ours tells whether the server under test is our own.
func ours() bool { return *chosen != "gearmand" }

// launch starts the server under test.
func launch(t testing.TB, args ...string) *harness.Server {
	t.Helper()
	if ours() {
		return harness.Gearbolt(t, args...)
	}
	return harness.Gearmand(t, args...)
}

// dial opens a connection to the server, until the end of the test.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// admin sends one text command and returns the lines of the answer: one, or
// all before a line with a dot.
func admin(t testing.TB, addr, command string) []string {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	if _, err := c.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if !listing(command) {
		return []string{readLine(t, r)}
	}
	return readListing(t, r)
}

// listing tells whether a command's answer ends with a dot.
func listing(command string) bool {
	word, _, _ := strings.Cut(command, " ")
	return word == "status" || word == "workers" || word == "show" || word == "prioritystatus"
}

func readListing(t testing.TB, r *bufio.Reader) []string {
	t.Helper()
	var lines []string
	for {
		line := readLine(t, r)
		if line == "." {
			return lines
		}
		lines = append(lines, line)
	}
}

func readLine(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(line, "\r\n")
}

// books is what the admin command status says about a function.
type books struct{ total, running, workers int }

func status(t testing.TB, addr, function string) (b books) {
	t.Helper()
	for _, line := range admin(t, addr, "status") {
		numbers, ok := strings.CutPrefix(line, function+"\t")
		if !ok {
			continue
		}
		if _, err := fmt.Sscan(numbers, &b.total, &b.running, &b.workers); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	return b
}
