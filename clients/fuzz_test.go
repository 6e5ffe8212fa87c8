package clients

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

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

// fuzzed returns a connection on which a server says hello and then says.
func fuzzed(says []byte) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, theirs)
		go func() {
			defer theirs.Close()
			theirs.Write(talk(res(protocol.EchoRes, string(hello)), says))
		}()
		return ours, nil
	}
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
		c, err := NewClient(Config{Logger: quiet, Dial: fuzzed(says), HealthInterval: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(bg, 10*time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() { c.Call(ctx, "f", nil, Unique("u")) })
		all.Go(func() { c.Submit(ctx, "f", nil) })
		all.Go(func() { c.Status(ctx, Handle{ID: "H:1"}) })
		all.Go(func() {
			for range c.Stream(ctx, "f", nil, Unique("u")) {
			}
		})
		if all.Wait(); ctx.Err() != nil {
			t.Error("a call hangs")
		}
	})
}

// FuzzWorkerHears: whatever a server says, the worker does no more jobs at once
// than it has slots for unless the server pushed them on it, and can be closed.
func FuzzWorkerHears(f *testing.F) {
	job := res(protocol.JobAssign, "H:1", "f", "x")
	f.Add(job)
	f.Add(talk(res(protocol.NoJob), res(protocol.Noop), job, res(protocol.JobAssignAll, "H:2", "f", "u", "r", "x")))
	f.Add(talk(res(protocol.Error, "x", "y"), res(protocol.Error, "x", "y"), res(protocol.Error, "x", "y")))
	f.Add(talk(res(protocol.NoJob), res(protocol.NoJob), res(protocol.NoJob), res(protocol.Noop), res(protocol.JobAssignUniq, "H:3", "g", "", "")))
	f.Fuzz(func(t *testing.T, says []byte) {
		w, err := NewWorker(Config{Logger: quiet, Dial: fuzzed(says), HealthInterval: -1, MinBackoff: time.Hour, MaxBackoff: time.Hour}, 2)
		if err != nil {
			t.Fatal(err)
		}
		w.Handle("f", echo)
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Microsecond) // some of it is heard while it works, some while it ends
		ctx, cancel := context.WithTimeout(bg, 10*time.Second)
		defer cancel()
		w.Shutdown(ctx)
		w.Close()
		if p := w.pools[0]; ctx.Err() != nil || p.free < 2 || len(p.lanes) != 0 {
			t.Errorf("%v, %d slots free, lanes %v", ctx.Err(), p.free, p.lanes)
		}
	})
}
