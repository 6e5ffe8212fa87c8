package clients

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"gearbolt/protocol"
)

var quiet = slog.New(slog.DiscardHandler)

func echo(_ context.Context, job *Job) ([]byte, error) { return job.Payload, nil }

func sometimes(n *atomic.Int64) Handler {
	return func(context.Context, *Job) ([]byte, error) {
		if n.Add(1)%2 == 0 {
			panic("every second time")
		}
		return nil, nil
	}
}

// answerer returns a client of a server that answers each call at once and
// allocates nothing.
func answerer(t testing.TB) *Client {
	t.Helper()
	ours, theirs := net.Pipe()
	c, err := NewClient(Config{Logger: quiet, HealthInterval: -1, Dial: func(context.Context, string, string) (net.Conn, error) { return ours, nil }})
	if err != nil {
		t.Fatal(err)
	}
	go answer(theirs)
	t.Cleanup(func() { c.Close(); theirs.Close() })
	return c
}

func answer(nc net.Conn) {
	limits := protocol.Limits{Packet: protocol.DefaultPacketLimit}
	buf, out := make([]byte, 0, 1<<20), make([]byte, 0, 1<<20)
	handle := make([]byte, 0, 64)
	for jobs := 0; ; {
		n, err := nc.Read(buf[len(buf):cap(buf)])
		if err != nil {
			return
		}
		buf, out = buf[:len(buf)+n], out[:0]
		rest := buf
		for {
			m, n, err := limits.Next(rest)
			if err != nil {
				break
			}
			rest = rest[n:]
			switch m.Type {
			case protocol.OptionReq, protocol.EchoReq:
				out = protocol.Append(out, protocol.Res, m.Type+1, m.Body)
			case protocol.SubmitJob:
				jobs++
				handle = fmt.Appendf(handle[:0], "H:answerer:%d", jobs)
				out = protocol.Append(out, protocol.Res, protocol.JobCreated, handle)
				out = protocol.Append(out, protocol.Res, protocol.WorkComplete, handle, m.Body)
			}
		}
		buf = buf[:copy(buf, rest)]
		nc.Write(out)
	}
}
