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

// port is below those that the system gives out, and not the default one, on
// which somebody may listen everywhere.
const port = "24730"

var servers atomic.Uint32

// nextHost returns a loopback address that is one server's alone. A port that
// was free on 127.0.0.1 a moment ago may since belong to one of the many
// connections that are made there.
func nextHost() string {
	number := uint32(os.Getpid()%32000+256)<<9 | servers.Add(1)%512
	return net.IP(binary.BigEndian.AppendUint32(nil, 127<<24|number)).String()
}

// commandLine is what both servers are started with: Gearbolt stands in for
// gearmand, flags included. Without I/O threads gearmand closes a bad
// connection at a definite point; what a timer causes it sends in time only
// with one, so that such scripts ask for it.
func commandLine(host string, s *script) []string {
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
	host := nextHost()
	cmd := exec.Command(gearmandPath(), commandLine(host, s)...)
	return harness.Start(t, "gearmand", net.JoinHostPort(host, port), cmd)
}

func startGearbolt(t *testing.T, s *script) *harness.Server {
	t.Helper()
	host := nextHost()
	cmd := exec.Command(harness.Binary(t), append([]string{"gearmand"}, commandLine(host, s)...)...)
	cmd.Env = append(os.Environ(), "GEARBOLT_DATA_DIR="+t.TempDir())
	return harness.Start(t, "gearbolt", net.JoinHostPort(host, port), cmd)
}
