package network

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// middles are moments in a job at which a worker's connection goes half open. The
// job is on its way to it, or it runs, or its result is on its way back.
var middles = []struct {
	name  string
	until func(*testing.T, *judge.Worker)
}{
	{"being told", func(t *testing.T, w *judge.Worker) {
		w.Send(protocol.GrabJob)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(w.Conn, make([]byte, protocol.HeaderSize)); err != nil {
			t.Fatal(err)
		}
	}},
	{"at work", take},
	{"answering", func(t *testing.T, w *judge.Worker) {
		take(t, w)
		complete := protocol.AppendHeader(nil, protocol.Req, protocol.WorkComplete, jobSize)
		if _, err := w.Conn.Write(append(complete, make([]byte, jobSize/2)...)); err != nil {
			t.Fatal(err)
		}
	}},
}

// jobSize is more than the kernel holds of what is on its way.
const jobSize = 16 << 20

func take(t *testing.T, w *judge.Worker) {
	if a, err := w.Next(); err != nil || a == nil {
		t.Fatalf("there is no job: %v, %v", a, err)
	}
}

// halfOpen has a worker in the middle of a job each, and returns their
// connections, the clients that wait for the results, and the handles.
func (s *stage) halfOpen() (lost []*judge.Worker, clients []*judge.Client, handles []string) {
	s.Helper()
	for i, m := range middles {
		c := s.book.ClientOn(s.line())
		token := fmt.Sprintf("call %d", i)
		c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJob, Function: function, Payload: token + "|" + strings.Repeat("x", jobSize)})
		handle, err := c.Answer()
		if err != nil {
			s.Fatal(err)
		}
		w := s.book.WorkerOn(s.line(), function)
		w.Lease = atLeast
		m.until(s.T, w)
		lost, clients, handles = append(lost, w), append(clients, c), append(handles, handle)
	}
	return lost, clients, handles
}

// line connects somebody at the far end.
func (s *stage) line() *judge.Line {
	s.Helper()
	c, err := s.dial(s.addr, judge.Patience)
	if err != nil {
		s.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(2 * judge.Patience))
	s.Cleanup(func() { c.Close() })
	return judge.NewLine(c)
}

// cut drops all packets of connections, and nobody else's.
func (w *wire) cut(lost []*judge.Worker) {
	w.t.Helper()
	var ports []string
	for _, l := range lost {
		_, port, _ := net.SplitHostPort(l.Conn.LocalAddr().String())
		ports = append(ports, port)
	}
	set := "{ " + strings.Join(ports, ", ") + " }"
	w.drop("tcp sport " + set + " counter drop; tcp dport " + set)
}

// running is how many jobs a worker has.
func (s *stage) running() int {
	s.Helper()
	for _, line := range s.list("status") {
		var total, running, workers int
		name, numbers, _ := strings.Cut(line, "\t")
		if _, err := fmt.Sscan(numbers, &total, &running, &workers); err != nil {
			s.Fatal(err)
		}
		if name == function {
			return running
		}
	}
	return 0
}

// The connections of workers break in the middle of their jobs, and nobody tells
// the server. It finds out, and each job is done by another, once; what the first
// say when the network is back changes nothing. A server that does not ask does
// not find out.
func TestHalfOpenInTheMiddleOfAJob(t *testing.T) {
	w := layWire(t)
	s, control := newStage(t, w, asking...), newStage(t, w, "--keepalive=false", "--tcp-user-timeout", "0")
	lost, clients, handles := s.halfOpen()
	deaf, _, _ := control.halfOpen()
	began := time.Now()
	w.cut(slices.Concat(lost, deaf))
	harness.Await(t, "the jobs are taken from who is gone", func() bool { return s.running() == 0 })
	t.Logf("after %v", time.Since(began).Round(100*time.Millisecond))
	if n := control.running(); n != len(middles) {
		t.Errorf("who does not ask has lost all but %d of %d", n, len(middles))
	}
	healthy := s.book.WorkerOn(s.line(), function)
	for range middles {
		a, err := healthy.Next()
		if err != nil {
			t.Fatal(err)
		}
		healthy.End(a.Handle, protocol.WorkComplete, "done")
	}
	if err := healthy.Drain(); err != nil { // also writes the last end
		t.Fatal(err)
	}
	if w.heal() == 0 {
		t.Error("nothing was lost")
	}
	for i, l := range lost {
		l.Conn.Write(protocol.Append(nil, protocol.Req, protocol.WorkComplete, []byte(handles[i]), []byte("too late")))
	}
	for i, c := range clients {
		if p, err := c.Receive(); err != nil || p.Type != protocol.WorkComplete || !slices.Equal(p.Args, []string{handles[i], "done"}) {
			t.Errorf("the job in the middle of %s ends with %.100v, %v", middles[i].name, p, err)
		}
		if _, err := c.Ask(protocol.EchoRes, protocol.EchoReq, "and no more"); err != nil {
			t.Error(err)
		}
	}
	s.balance()
}
