package twin

import (
	"encoding/binary"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"gearbolt/integration/harness"
)

// commandLine is what both servers are started with: Gearbolt stands in for
// gearmand, flags included. Without I/O threads gearmand closes a bad
// connection at a definite point; what a timer causes it sends in time only
// with one, so that such scripts ask for it.
func commandLine(addr string, s *script) []string {
	host, _, _ := net.SplitHostPort(addr)
	words := []string{"--listen=" + host, "--port=" + port, "--log-file=stderr", "--verbose=WARNING"}
	if !strings.Contains(strings.Join(s.args, " "), "--threads=") {
		words = append(words, "--threads=0")
	}
	return append(words, s.args...)
}

var servers atomic.Uint32

// port is below those that the system gives out, and not the default one, which
// somebody may listen on everywhere.
const port = "24730"

// nextAddr returns an address that is this server's alone: a port that was
// free a moment ago on 127.0.0.1 may since belong to one of the many
// connections that are made there.
func nextAddr() string {
	host := binary.BigEndian.AppendUint32(nil, 127<<24|uint32(os.Getpid()%32000+256)<<9|servers.Add(1)%512)
	return net.JoinHostPort(net.IP(host).String(), port)
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
	addr := nextAddr()
	return harness.Start(t, "gearmand", addr, exec.Command(gearmandPath(), commandLine(addr, s)...))
}

func startGearbolt(t *testing.T, s *script) *harness.Server {
	t.Helper()
	addr := nextAddr()
	cmd := exec.Command(harness.Binary(t), append([]string{"gearmand"}, commandLine(addr, s)...)...)
	cmd.Env = append(os.Environ(), "GEARBOLT_DATA_DIR="+t.TempDir())
	return harness.Start(t, "gearbolt", addr, cmd)
}
