package twin

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// commandLine is what both servers are started with: Gearbolt stands in for
// gearmand, flags included. Without I/O threads gearmand closes a bad
// connection at a definite point; what a timer causes it sends in time only
// with one, so that such scripts ask for it.
func commandLine(addr string, s *script) []string {
	host, port, _ := net.SplitHostPort(addr)
	words := []string{"--listen=" + host, "--port=" + port, "--log-file=stderr", "--verbose=WARNING"}
	if !strings.Contains(strings.Join(s.args, " "), "--threads=") {
		words = append(words, "--threads=0")
	}
	return append(words, s.args...)
}

func gearmandPath() string {
	if path, err := exec.LookPath("gearmand"); err == nil {
		return path
	}
	return "/usr/sbin/gearmand"
}

func gearmandIsHere() bool {
	_, err := os.Stat(gearmandPath())
	return err == nil
}

func startGearmand(t *testing.T, s *script) *harness.Server {
	t.Helper()
	addr := harness.FreeAddr(t)
	return harness.Start(t, "gearmand", addr, exec.Command(gearmandPath(), commandLine(addr, s)...))
}

func startGearbolt(t *testing.T, s *script) *harness.Server {
	t.Helper()
	addr := harness.FreeAddr(t)
	cmd := exec.Command(harness.Binary(t), append([]string{"gearmand"}, commandLine(addr, s)...)...)
	cmd.Env = append(os.Environ(), "GEARBOLT_DATA_DIR="+t.TempDir())
	return harness.Start(t, "gearbolt", addr, cmd)
}
