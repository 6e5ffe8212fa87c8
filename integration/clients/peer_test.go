package clients

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// A peer is a library or a tool that other people wrote, behind the two
// programs that doc.go describes.
type peer struct {
	name string
	// commands returns how to start the worker and the client; it skips the
	// test when something that they need is not installed.
	commands func(t testing.TB) (worker, client []string)
	// absent names the scenarios that the peer cannot take part in, each with
	// the reason.
	absent map[string]string
	// with names, for some scenarios, other peers to stand in on one side.
	with map[string]stand
	// payload is the number of bytes in the scenario Large; 0 is 20 MiB.
	payload int
	// texts is set for a worker whose library takes results for UTF-8: its
	// pairs are tried with a text in place of all 256 byte values.
	texts bool
	// refusal is what the client says when the server refuses a job because
	// the queue is full.
	refusal string
}

// A stand names the peer that takes over the client's or the worker's part.
type stand struct{ client, worker string }

// worker starts the peer's worker for the functions given, as doc.go says.
func (p *peer) worker(t testing.TB, addr string, specs ...string) *program {
	t.Helper()
	return p.workerWith(t, nil, addr, specs...)
}

// workerWith adds variables to the worker's environment.
func (p *peer) workerWith(t testing.TB, env []string, addr string, specs ...string) *program {
	t.Helper()
	command, _ := p.commands(t)
	return start(t, p.name+" worker", invocation(command, addr, specs, env))
}

// client starts the peer's client.
func (p *peer) client(t testing.TB, addr string, options ...string) *program {
	t.Helper()
	return p.clientWith(t, nil, addr, options...)
}

// clientWith adds variables to the client's environment.
func (p *peer) clientWith(t testing.TB, env []string, addr string, options ...string) *program {
	t.Helper()
	_, command := p.commands(t)
	return start(t, p.name+" client", invocation(command, addr, options, env))
}

func invocation(command []string, addr string, more, env []string) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(command[0], slices.Concat(command[1:], []string{host, port}, more)...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

func peerNamed(name string) *peer {
	for i := range peers {
		if peers[i].name == name {
			return &peers[i]
		}
	}
	panic("no peer is called " + name)
}

// size returns the number of bytes of a large payload.
func (p *peer) size() int {
	if p.payload > 0 {
		return p.payload
	}
	return 20 << 20
}
