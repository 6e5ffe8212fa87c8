// Package harness starts the servers that the integration tests talk to: our
// own binary and, where it is installed, the gearmand that it stands in for.
package harness

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
	root, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "gearbolt-bin-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "gearbolt")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/gearbolt")
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(root)))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %v\n%s", err, out)
	}
	return bin, nil
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

	tls    *tls.Config // nil for plain TCP
	output lockedBuffer
	exited chan struct{}
	err    error
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
	s.exited = make(chan struct{})
	cmd := s.Cmd
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() { s.Kill() })
	if err := s.awaitReady(30 * time.Second); err != nil {
		t.Fatalf("%s on %s: %v\n%s", s.Name, s.Addr, err, s.Output())
	}
	return s
}

func (s *Server) awaitReady(limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		version, err := s.version()
		if err == nil && strings.HasPrefix(version, "OK") {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("exited: %v", s.err)
		case <-time.After(5 * time.Millisecond): // asks again, rather than waits for a length of time
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready: %q, %v", version, err)
		}
	}
}

func (s *Server) version() (string, error) {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.Dial("tcp", s.Addr)
	if err != nil {
		return "", err
	}
	if s.tls != nil {
		config := s.tls.Clone()
		config.ServerName, _, _ = net.SplitHostPort(s.Addr)
		c = tls.Client(c, config)
	}
	defer c.Close()
	return Version(c)
}

// Version asks the server at the other end of c for its version and returns
// the line of the answer.
func Version(c net.Conn) (string, error) {
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "version\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

// Kill ends the server as a power cut would, with SIGKILL, and waits for it.
func (s *Server) Kill() {
	s.Cmd.Process.Kill()
	<-s.exited
}

// Signal sends the process a signal.
func (s *Server) Signal(sig syscall.Signal) error { return s.Cmd.Process.Signal(sig) }

// Wait waits for the process to end by itself and returns its exit error.
func (s *Server) Wait(limit time.Duration) error {
	select {
	case <-s.exited:
		return s.err
	case <-time.After(limit):
		return fmt.Errorf("%s still runs after %v", s.Name, limit)
	}
}

// FreeAddr returns a loopback address on which nothing listens, below the
// ports that the kernel gives to outgoing connections: otherwise a client that
// tries to reach a server that is down may take its port, or even connect to
// itself. No address is returned twice.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		if _, taken := handedOut.LoadOrStore(port, true); taken {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no free port between 20000 and 32000")
	return ""
}

var handedOut sync.Map // of ports

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
