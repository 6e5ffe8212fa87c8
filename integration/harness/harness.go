// Package harness starts the servers that the integration tests talk to: our
// own binary and, where it is installed, the gearmand that it stands in for.
package harness

import (
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"gearbolt/integration/harness/process"
)

// Need skips the test with a reason when one of the named programs is not
// installed. In CI nothing is skipped: there a missing program is a failure.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		} else if _, err := os.Stat("/usr/sbin/" + p); err == nil {
			continue
		}
		Missing(t, p+" is not installed")
	}
}

// Missing skips the test for the reason given, or fails it in CI.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, and in CI nothing is skipped", reason)
	}
	t.Skip(reason)
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gearbolt-bin-")
	if err != nil {
		return "", err
	}
	return process.Build(dir)
})

// Binary returns the path of our binary, which it builds once per test
// process. A file named by the environment variable GEARBOLT_BINARY is used
// as it is.
func Binary(t testing.TB) string {
	t.Helper()
	if bin := os.Getenv("GEARBOLT_BINARY"); bin != "" {
		return bin
	}
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// A Server is a running job server.
type Server struct {
	Name    string // "gearbolt" or "gearmand"
	Addr    string // host:port
	DataDir string // gearbolt's
	Cmd     *exec.Cmd

	*process.Process

	tls    *tls.Config // nil for plain TCP
	output Buffer
}

// Port returns the port that the server listens on.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// Output returns what the server has written to stdout and stderr so far.
func (s *Server) Output() string { return s.output.String() }

// Gearbolt starts our server on a free loopback port with a data directory of
// its own. args are appended to its command line.
func Gearbolt(t testing.TB, args ...string) *Server {
	t.Helper()
	return GearboltAt(t, FreeAddr(t), t.TempDir(), args...)
}

// GearboltAt starts our server on a given address and data directory, as a
// restart does.
func GearboltAt(t testing.TB, addr, dataDir string, args ...string) *Server {
	t.Helper()
	args = append([]string{"serve", "--listen", addr, "--data-dir", dataDir}, args...)
	s := Start(t, "gearbolt", addr, exec.Command(Binary(t), args...))
	s.DataDir = dataDir
	return s
}

// GearboltTLS starts our server with TLS on its only listener, as args say;
// config is for the client that asks whether it is ready.
func GearboltTLS(t testing.TB, config *tls.Config, args ...string) *Server {
	t.Helper()
	addr, dir := FreeAddr(t), t.TempDir()
	args = append([]string{"serve", "--listen", addr, "--data-dir", dir}, args...)
	cmd := exec.Command(Binary(t), args...)
	return start(t, &Server{Name: "gearbolt", Addr: addr, DataDir: dir, Cmd: cmd, tls: config})
}

// Gearmand starts Debian's gearmand on a free loopback port.
func Gearmand(t testing.TB, args ...string) *Server {
	t.Helper()
	Need(t, "gearmand")
	addr := FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	bin, err := exec.LookPath("gearmand")
	if err != nil {
		bin = "/usr/sbin/gearmand"
	}
	args = append([]string{"--listen=" + host, "--port=" + port, "--log-file=stderr", "--verbose=WARNING"}, args...)
	return Start(t, "gearmand", addr, exec.Command(bin, args...))
}

// Start runs cmd, waits until addr answers the admin command "version", and
// kills the process at the end of the test.
func Start(t testing.TB, name, addr string, cmd *exec.Cmd) *Server {
	t.Helper()
	return start(t, &Server{Name: name, Addr: addr, Cmd: cmd})
}

func start(t testing.TB, s *Server) *Server {
	t.Helper()
	s.Cmd.Stdout, s.Cmd.Stderr = &s.output, &s.output
	p, err := process.Start(s.Cmd)
	if err != nil {
		t.Fatal(err)
	}
	s.Process = p
	t.Cleanup(s.Kill)
	if err := s.AwaitReady(30*time.Second, s.dial); err != nil {
		t.Fatalf("%s on %s: %v\n%s", s.Name, s.Addr, err, s.Output())
	}
	return s
}

func (s *Server) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.Dial("tcp", s.Addr)
	if err != nil || s.tls == nil {
		return c, err
	}
	config := s.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(s.Addr)
	return tls.Client(c, config), nil
}

// Version is [process.Version].
func Version(c net.Conn) (string, error) { return process.Version(c) }

// FreeAddr is [process.FreeAddr].
func FreeAddr(t testing.TB) string {
	t.Helper()
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// Await asks again and again whether something has come about, and fails the
// test when that takes too long: nothing that goes right comes near the limit.
func Await(t testing.TB, what string, happened func() bool) {
	t.Helper()
	const limit = 30 * time.Second
	for deadline := time.Now().Add(limit); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
