package overload

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

const (
	function = "busy"
	deadline = time.Second // for a submission to be sent
	tick     = 10 * time.Millisecond
	batch    = 64 // submissions that are written at once, at most

	mostJobs = 1 << 24 // that can be told apart
)

// A fate is what has become of a submission, as bits.
type fate uint32

const (
	sent fate = 1 << iota
	created
	refused
	done
	again // done twice
)

func (f fate) String() string {
	var all []string
	for i, name := range []string{"sent", "acknowledged", "refused", "done", "done again"} {
		if f&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ") + ", and no more"
}

// A crowd is all who submit and work, and what has become of every submission.
type crowd struct {
	t       *testing.T
	server  *harness.Server
	fates   []atomic.Uint32 // by number, from 1
	last    atomic.Uint32   // number
	done    atomic.Int64    // jobs
	givenUp atomic.Int64    // submissions that could not be sent in time

	mu       sync.Mutex
	refusals map[string]bool // texts
}

func newCrowd(t *testing.T, server *harness.Server) *crowd {
	return &crowd{t: t, server: server, fates: make([]atomic.Uint32, mostJobs), refusals: make(map[string]bool)}
}

// becomes adds to the fate of a submission.
func (c *crowd) becomes(n uint32, f fate) {
	if before := fate(c.fates[n].Or(uint32(f))); before&f&done != 0 {
		c.fates[n].Or(uint32(again))
	}
}

// fatesOf counts the fates of the first submissions.
func (c *crowd) fatesOf(all uint32) map[fate]int {
	fates := make(map[fate]int)
	for n := range all {
		fates[fate(c.fates[n+1].Load())]++
	}
	return fates
}

func (c *crowd) dial() net.Conn {
	c.t.Helper()
	nc, err := net.DialTimeout("tcp", c.server.Addr, judge.Patience)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { nc.Close() })
	return nc
}

// submit has rate submissions fall due every second, spread over connections,
// and returns when all that were sent are answered.
func (c *crowd) submit(connections, rate int, d time.Duration) {
	c.t.Helper()
	var all sync.WaitGroup
	for range connections {
		nc, owed := c.dial(), make(chan uint32, mostJobs/connections)
		all.Go(func() {
			defer close(owed)
			if err := c.send(nc, float64(rate)/float64(connections), d, owed); err != nil {
				c.t.Error(err)
			}
		})
		all.Go(func() {
			defer nc.Close()
			if err := c.hear(nc, owed); err != nil {
				c.t.Error(err)
				for range owed { // so that the other ends
				}
			}
		})
	}
	all.Wait()
}

// send submits what falls due, and notes in owed what is to be answered.
func (c *crowd) send(nc net.Conn, rate float64, d time.Duration, owed chan<- uint32) error {
	pause := time.NewTicker(tick)
	defer pause.Stop()
	var packets []byte
	began, sentOrNot := time.Now(), 0
	for time.Since(began) < d {
		due := int(time.Since(began).Seconds() * rate)
		if late := due - int(deadline.Seconds()*rate); sentOrNot < late {
			c.givenUp.Add(int64(late - sentOrNot))
			sentOrNot = late
		}
		packets = packets[:0]
		for i := 0; i < batch && sentOrNot < due; i++ {
			n := c.last.Add(1)
			if n >= mostJobs {
				return fmt.Errorf("there are more than %d jobs", mostJobs)
			}
			c.becomes(n, sent)
			packets = protocol.Append(packets, protocol.Req, protocol.SubmitJobBG, []byte(function), nil, payload(n))
			owed <- n
			sentOrNot++
		}
		nc.SetWriteDeadline(time.Now().Add(judge.Patience))
		if _, err := nc.Write(packets); err != nil {
			return err
		}
		if sentOrNot >= due {
			<-pause.C
		}
	}
	return nil
}

func payload(n uint32) []byte {
	b := make([]byte, 100)
	binary.BigEndian.PutUint32(b, n)
	return b
}

// hear reads the answers to what is owed.
func (c *crowd) hear(nc net.Conn, owed <-chan uint32) error {
	r := bufio.NewReaderSize(nc, 64<<10)
	for n := range owed {
		nc.SetReadDeadline(time.Now().Add(judge.Patience))
		kind, body, err := read(r)
		switch {
		case err != nil:
			return fmt.Errorf("job %d was not answered: %w", n, err)
		case kind == protocol.JobCreated:
			c.becomes(n, created)
		case kind == protocol.Error:
			c.becomes(n, refused)
			c.mu.Lock()
			c.refusals[strings.ReplaceAll(string(body), "\x00", " ")] = true
			c.mu.Unlock()
		default:
			return fmt.Errorf("job %d was answered with %s", n, kind)
		}
	}
	return nil
}

func read(r *bufio.Reader) (protocol.Type, []byte, error) {
	head, err := r.Peek(protocol.HeaderSize)
	if err != nil {
		return 0, nil, err
	}
	kind, size := protocol.Type(binary.BigEndian.Uint32(head[4:])), int(binary.BigEndian.Uint32(head[8:]))
	r.Discard(protocol.HeaderSize)
	body, err := r.Peek(size)
	if err == nil {
		_, err = r.Discard(size)
	}
	return kind, body, err
}

// work does jobs until the connection is closed.
func (c *crowd) work(nc net.Conn) error {
	r := bufio.NewReaderSize(nc, 64<<10)
	out := protocol.Append(nil, protocol.Req, protocol.CanDo, []byte(function))
	out = protocol.Append(out, protocol.Req, protocol.GrabJob)
	for {
		if _, err := nc.Write(out); err != nil {
			return err
		}
		out = out[:0]
		kind, body, err := read(r)
		if err != nil {
			return err
		}
		switch kind {
		case protocol.NoJob:
			out = protocol.Append(out, protocol.Req, protocol.PreSleep)
		case protocol.Noop:
			out = protocol.Append(out, protocol.Req, protocol.GrabJob)
		case protocol.JobAssign:
			out = protocol.Append(out, protocol.Req, protocol.WorkComplete, c.did(body), nil)
			out = protocol.Append(out, protocol.Req, protocol.GrabJob)
		default:
			return fmt.Errorf("a worker was told %s", kind)
		}
	}
}

// did notes that a job is done, and returns its handle.
func (c *crowd) did(assign []byte) (handle []byte) {
	var args protocol.Args
	if err := protocol.Split(protocol.JobAssign, assign, &args); err != nil {
		c.t.Error(err)
	}
	n := binary.BigEndian.Uint32(args.Data)
	c.becomes(n, done)
	c.done.Add(1)
	return args.Arg[0]
}
