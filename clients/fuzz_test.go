package clients

import (
	"errors"
	"io"
	"net"
	"testing"

	"gearbolt/protocol"
)

// talk is a conversation as a server has it.
func talk(packets ...[]byte) (b []byte) {
	for _, p := range packets {
		b = append(b, p...)
	}
	return b
}

func res(t protocol.Type, args ...string) []byte {
	return protocol.Append(nil, protocol.Res, t, toBytes(args)...)
}

// FuzzClientHears: whatever a server says, every call ends, and nothing panics.
func FuzzClientHears(f *testing.F) {
	created, done := res(protocol.JobCreated, "H:1"), res(protocol.WorkComplete, "H:1", "x")
	f.Add(talk(created, done))
	f.Add(talk(created, created, res(protocol.StatusRes, "H:1", "1", "1", "2", "3"), res(protocol.WorkData, "H:1", "x"), done, done))
	f.Add(talk(created, res(protocol.WorkStatus, "H:1", "1"), res(protocol.WorkWarning, "H:1"), res(protocol.WorkException, "H:1", "x")))
	f.Add(talk(res(protocol.Error, "QUEUE_ERROR", "Job queue is full"), created, res(protocol.WorkFail, "H:1\x00")))
	f.Add(talk(res(protocol.Noop), res(protocol.EchoRes), []byte("ERR\r\n")))
	f.Fuzz(func(t *testing.T, says []byte) {
		c, err := NewClient(Config{Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ours, theirs := net.Pipe()
		s := newSession(c.servers[0], ours)
		s.ready = true
		calls := []*call{
			{packet: protocol.SubmitJob, opts: callOptions{unique: "u"}},
			{packet: protocol.SubmitJobBG, background: true},
			{packet: protocol.SubmitJob, opts: callOptions{unique: "u"}, stream: new(stream)},
			{packet: protocol.GetStatus},
			{packet: protocol.EchoReq},
			{packet: protocol.SubmitJob, opts: callOptions{unique: "u"}},
		}
		for _, k := range calls {
			k.ready = make(chan struct{}, 1)
			if err := s.send(bg, k); err != nil {
				t.Fatal(err)
			}
		}
		s.forget(calls[5])
		go io.Copy(io.Discard, theirs)
		go func() { theirs.Write(says); theirs.Close() }()
		s.serve(bg)
		for i, k := range calls[:5] {
			if k.state != idle || len(k.ready) != 1 || k.sent && errors.As(k.err, new(unsent)) {
				t.Errorf("call %d: %+v", i, k)
			}
		}
		if len(s.jobs) != 0 || s.replies.next != len(s.replies.owed) {
			t.Errorf("left behind: %v, %v", s.jobs, s.replies)
		}
	})
}

// FuzzWorkerHears: whatever a server says, nothing panics, and when the
// connection and the jobs are over every slot is free.
func FuzzWorkerHears(f *testing.F) {
	job := res(protocol.JobAssign, "H:1", "f", "x")
	f.Add(job)
	f.Add(talk(res(protocol.NoJob), res(protocol.Noop), job, res(protocol.JobAssignAll, "H:2", "f", "u", "r", "x")))
	f.Add(talk(res(protocol.Error, "x", "y"), res(protocol.Error, "x", "y"), res(protocol.Error, "x", "y")))
	f.Add(talk(res(protocol.NoJob), res(protocol.NoJob), res(protocol.NoJob), res(protocol.Noop), res(protocol.JobAssignUniq, "H:3", "g", "", "")))
	f.Fuzz(func(t *testing.T, says []byte) {
		w, err := NewWorker(Config{Logger: quiet}, 2)
		if err != nil {
			t.Fatal(err)
		}
		w.Handle("f", echo)
		w.makePools()
		p := w.pools[0]
		ours, theirs := net.Pipe()
		l := p.join(w.addresses[0], ours)
		go io.Copy(io.Discard, theirs)
		go func() {
			theirs.Write(talk(res(protocol.EchoRes, string(hello)), says))
			theirs.Close()
		}()
		l.serve(bg)
		if w.wait(); p.free != 2 || len(p.lanes) != 0 {
			t.Errorf("%d slots are free, lanes %v", p.free, p.lanes)
		}
	})
}
