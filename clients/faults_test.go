package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

// Mistakes that other libraries make, each with a test that it is not made here;
// more of them in the tests of calls, of streams and of shared jobs.

// A slicer is a connection that hands out what arrives one byte at a time.
type slicer struct{ net.Conn }

func (s slicer) Read(b []byte) (int, error) { return s.Conn.Read(b[:1]) }

func TestPacketsInPieces(t *testing.T) {
	f := startFake()
	defer f.Close()
	config := f.config()
	config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		return slicer{nc}, err
	}
	w, err := NewWorker(config, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.Handle("echo", echo)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 20 {
		payload := bytes.Repeat([]byte{byte(i)}, 17*i)
		if got, err := c.Call(bg, "echo", payload); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("%d: %q, %v", i, got, err)
		}
	}
}

// Many jobs that all talk at once do not garble the stream.
func TestJobsThatTalkAtOnce(t *testing.T) {
	f := startFake()
	defer f.Close()
	w, err := NewWorker(f.config(), 100)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.Handle("talk", func(_ context.Context, job *Job) ([]byte, error) {
		var talk sync.WaitGroup
		errs := make([]error, 3)
		talk.Go(func() { errs[0] = job.Data([]byte("data")) })
		talk.Go(func() { errs[1] = job.Warning([]byte("warning")) })
		talk.Go(func() { errs[2] = job.Progress(1, 2) })
		talk.Wait()
		return job.Payload, errors.Join(errs...)
	})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := NewClient(f.config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() { checkTalk(t, c, fmt.Sprint(i)) })
	}
	all.Wait()
}

func checkTalk(t *testing.T, c *Client, payload string) {
	var seen [Complete + 1]int
	for e, err := range c.Stream(bg, "talk", []byte(payload)) {
		if err != nil {
			t.Error(err)
			return
		}
		if seen[e.Kind]++; e.Kind == Complete && string(e.Data) != payload {
			t.Errorf("%q, want %q", e.Data, payload)
		}
	}
	if seen != [...]int{1, 1, 1, 1, 1} {
		t.Errorf("events %v", seen)
	}
}

// Calls, echoes and questions from many goroutines on one connection.
func TestEverythingAtOnce(t *testing.T) {
	c := pair(t, 8)
	var all sync.WaitGroup
	for i := range 300 {
		payload := []byte(fmt.Sprint(i))
		all.Go(func() {
			ask := c.Echo
			if i%3 != 0 {
				ask = func(ctx context.Context, p []byte) ([]byte, error) { return c.Call(ctx, "echo", p) }
			}
			if got, err := ask(bg, payload); err != nil || !bytes.Equal(got, payload) {
				t.Errorf("%q, %v", got, err)
			}
			ctx, cancel := context.WithTimeout(bg, time.Duration(i)*10*time.Microsecond)
			defer cancel()
			if got, err := c.Call(ctx, "echo", payload); err == nil && !bytes.Equal(got, payload) {
				t.Errorf("%q, want %q", got, payload)
			}
		})
	}
	all.Wait()
}

func TestQuestionsEndWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		failed := make(chan error)
		go func() { _, err := c.Echo(bg, []byte("x")); failed <- err }()
		p := n.acceptClient()
		go func() { _, err := c.Status(bg, Handle{ID: "H:1"}); failed <- err }()
		p.read()
		p.read()
		p.nc.Close()
		for range 2 {
			result{err: <-failed}.fails(t, ErrLost, true)
		}
	})
}

// Answers that do not fit the questions end the connection: after that no
// answer could be trusted.
func TestAnswersThatDoNotFit(t *testing.T) {
	for name, say := range map[string]func(*peer){
		"wrong kind":      func(p *peer) { p.say(protocol.EchoRes, "x") },
		"status":          func(p *peer) { p.say(protocol.StatusRes, "H:1", "1", "1", "0", "0") },
		"a request":       func(p *peer) { p.write(protocol.Append(nil, protocol.Req, protocol.JobCreated, []byte("H:1"))) },
		"no packet":       func(p *peer) { p.write([]byte("OK\r\n")) },
		"no such type":    func(p *peer) { p.say(99) },
		"too large":       func(p *peer) { p.write(protocol.AppendHeader(nil, protocol.Res, protocol.WorkComplete, 65<<20)) },
		"status in parts": func(p *peer) { p.say(protocol.WorkStatus, "H:1") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				c := n.client("a")
				call := goCall(bg, c, "f", "")
				p := n.acceptClient()
				p.want(protocol.SubmitJob, "f", "", "")
				say(p)
				(<-call).fails(t, ErrLost, true)
			})
		})
	}
}

// What a large packet costs grows with its size, however small the pieces are
// in which it comes.
func TestLargePacketsCostWhatTheyWeigh(t *testing.T) {
	const size = 20 << 20
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go func() {
		whole := protocol.Append(nil, protocol.Res, protocol.WorkComplete, []byte("H:1"), make([]byte, size))
		for len(whole) > 0 {
			n, err := theirs.Write(whole[:min(4096, len(whole))])
			if err != nil {
				return
			}
			whole = whole[n:]
		}
	}()
	r := reader{nc: ours, limits: protocol.Limits{Packet: 64 << 20}, heard: func() {}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := r.next()
	runtime.ReadMemStats(&after)
	if err != nil || len(m.Body) != size+4 {
		t.Fatalf("%d bytes, %v", len(m.Body), err)
	}
	if kept := r.keep(m.Body); &kept[0] != &m.Body[0] {
		t.Error("a packet with a buffer of its own was copied")
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 6*size { // its own 20 MiB twice, and growing up to it
		t.Errorf("it cost %d bytes", cost)
	}
}

// What callers send at the same time leaves in few writes.
func TestBurstsAreOneWrite(t *testing.T) {
	var writes counter
	ours, theirs := net.Pipe()
	writes.Conn = ours
	c, err := NewClient(Config{Logger: quiet, HealthInterval: -1, Dial: func(context.Context, string, string) (net.Conn, error) { return &writes, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	defer c.Close()
	go answer(theirs)
	const calls = 10_000
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			for range calls / 100 {
				if _, err := c.Call(bg, "f", nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if all.Wait(); writes.n > calls/4 {
		t.Errorf("%d calls of 100 callers took %d writes", calls, writes.n)
	}
}

// A counter counts writes, which come from one goroutine.
type counter struct {
	net.Conn
	n int
}

func (c *counter) Write(b []byte) (int, error) { c.n++; return c.Conn.Write(b) }

// A peer that does not read holds up its callers, and only until they have had
// enough.
func TestAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a", "b")
		first := goCall(bg, c, "f", string(make([]byte, outLimit)))
		n.acceptClient() // and reads no more
		synctest.Wait()
		full := goCall(bg, c, "f", string(make([]byte, outLimit)))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		begun := time.Now()
		(<-goCall(ctx, c, "f", "")).fails(t, context.DeadlineExceeded, false)
		if took := time.Since(begun); took != time.Second {
			t.Errorf("after %v", took)
		}
		b := n.acceptClient() // when the first is given up, they go to the second
		b.listen()
		for range 2 {
			p := b.read()
			b.say(protocol.JobCreated, fmt.Sprint("H:", len(p.Body)))
			b.say(protocol.WorkComplete, fmt.Sprint("H:", len(p.Body)), "x")
		}
		(<-first).want(t, "x")
		(<-full).want(t, "x")
	})
}
