package clients

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

// Habits of monitoring tools and of small programs that speak to a job server
// without a library.

const habits = "monitoring and raw habits"

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestHabits(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"StatusAndVersionAtOnce", statusAndVersion},
		{"Netcat", netcat},
		{"NetcatHalfClosed", netcatHalfClosed},
		{"SubmitAndClose", submitAndClose},
		{"ConnectAndClose", connectAndClose},
		{"TextAmongBinary", textAmongBinary},
		{"BytesOneByOne", bytesOneByOne},
	} {
		if reason, out := baseline(habits, tc.name); out {
			note(habits, tc.name, "gearmand: "+reason)
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			record(t, habits, tc.name)
			tc.run(t)
		})
	}
}

// statusAndVersion asks as check_gearman does: two commands in one segment.
func statusAndVersion(t *testing.T) {
	c := dial(t, launch(t).Addr)
	if _, err := io.WriteString(c, "status\nversion\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if lines := readListing(t, r); len(lines) != 0 {
		t.Errorf("an idle server lists %q", lines)
	}
	if line := readLine(t, r); !regexp.MustCompile(`^OK \d+\.\d+\.\d+`).MatchString(line) {
		t.Errorf("the answer to version is %q", line)
	}
}

// netcat asks as a shell does with a pipe into nc, which waits a while for an
// answer before it closes.
func netcat(t *testing.T) {
	c := dial(t, launch(t).Addr)
	if _, err := io.WriteString(c, "version\nstatus\n"); err != nil {
		t.Fatal(err)
	}
	wantProbe(t, c)
}

// netcatHalfClosed is the same with an nc that closes its half at the end of
// the pipe (nc -N).
func netcatHalfClosed(t *testing.T) {
	c := dial(t, launch(t).Addr).(*net.TCPConn)
	if _, err := io.WriteString(c, "version\nstatus\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wantProbe(t, c)
}

func wantProbe(t *testing.T, c net.Conn) {
	t.Helper()
	r := bufio.NewReader(c)
	if got := readLine(t, r); !strings.HasPrefix(got, "OK ") {
		t.Errorf("the answer to version is %q", got)
	}
	if got := readListing(t, r); len(got) != 0 {
		t.Errorf("the answer to status is %q", got)
	}
}

// submitAndClose leaves a job behind as send_gearman does: it writes
// SUBMIT_JOB_BG and closes without reading JOB_CREATED.
func submitAndClose(t *testing.T) {
	s := &stage{TB: t, server: launch(t)}
	const jobs = 20
	for range jobs {
		c := dial(t, s.server.Addr)
		if _, err := c.Write(packet(submitJobBg, "f", "", "left behind")); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	harness.Await(t, "all jobs are in the books", func() bool { return status(t, s.server.Addr, "f").total == jobs })
}

// connectAndClose opens connections that nobody uses, and some that are cut
// with a reset.
func connectAndClose(t *testing.T) {
	s := launch(t)
	for range 100 {
		dial(t, s.Addr).Close()
		c := dial(t, s.Addr).(*net.TCPConn)
		c.SetLinger(0)
		c.Close()
	}
	if got := admin(t, s.Addr, "version")[0]; !strings.HasPrefix(got, "OK ") {
		t.Errorf("afterwards the answer to version is %q", got)
	}
}

// textAmongBinary has text commands and packets take turns on one connection.
func textAmongBinary(t *testing.T) {
	c := dial(t, launch(t).Addr)
	request := slices.Concat(packet(echoReq, "one"), []byte("create function f\r\n"), packet(canDo, "f"),
		[]byte("status\r\n"), packet(echoReq, "two"))
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	wantEcho(t, r, "one")
	if got := readLine(t, r); got != "OK" {
		t.Errorf("the answer to create function is %q", got)
	}
	if got := readListing(t, r); !slices.Equal(got, []string{"f\t0\t0\t1"}) {
		t.Errorf("the answer to status is %q", got)
	}
	wantEcho(t, r, "two")
}

func wantEcho(t *testing.T, r io.Reader, want string) {
	t.Helper()
	if kind, body := readPacket(t, r); kind != echoRes || string(body) != want {
		t.Errorf("the answer is of type %d: %q, want an echo of %q", kind, body, want)
	}
}

// bytesOneByOne sends every byte of a packet and of a command in a segment of
// its own.
func bytesOneByOne(t *testing.T) {
	c := dial(t, launch(t).Addr)
	for _, b := range append(packet(echoReq, "slow", "\x00er"), "version\n"...) {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // so that the segments are not joined
	}
	r := bufio.NewReader(c)
	wantEcho(t, r, "slow\x00\x00er")
	if got := readLine(t, r); !strings.HasPrefix(got, "OK ") {
		t.Errorf("the answer to version is %q", got)
	}
}
