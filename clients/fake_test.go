package clients

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"gearbolt/protocol"
)

// A fake is a Gearman server as small as one can be: foreground jobs, parked
// grabs. Examples and benchmarks run against it.
type fake struct {
	net.Listener

	mu     sync.Mutex
	jobs   int
	queue  []fakeJob
	parked []*fakeConn
	owners map[string]*fakeConn // of jobs, by handle
}

type fakeJob struct{ handle, function, unique, payload string }

type fakeConn struct {
	nc    net.Conn
	cando map[string]bool
}

func startFake() *fake {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	f := &fake{Listener: l, owners: make(map[string]*fakeConn)}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(&fakeConn{nc: nc, cando: make(map[string]bool)})
		}
	}()
	return f
}

func (f *fake) config() Config { return Config{Servers: []string{f.Addr().String()}} }

func (f *fake) serve(c *fakeConn) {
	defer c.nc.Close()
	r := bufio.NewReader(c.nc)
	var head [protocol.HeaderSize]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[8:]))
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		f.mu.Lock()
		f.take(c, protocol.Type(binary.BigEndian.Uint32(head[4:])), string(body))
		f.mu.Unlock()
	}
}

func (f *fake) take(c *fakeConn, t protocol.Type, body string) {
	switch t {
	case protocol.OptionReq, protocol.EchoReq:
		c.say(t+1, body)
	case protocol.CanDo:
		c.cando[body] = true
	case protocol.GrabJobAll:
		f.parked = append(f.parked, c)
	case protocol.PreSleep:
		f.unpark(c)
	case protocol.SubmitJob, protocol.SubmitJobBG:
		a := strings.SplitN(body, "\x00", 3)
		f.jobs++
		j := fakeJob{fmt.Sprintf("H:fake:%d", f.jobs), a[0], a[1], a[2]}
		c.say(protocol.JobCreated, j.handle)
		if f.queue = append(f.queue, j); t == protocol.SubmitJob {
			f.owners[j.handle] = c
		}
	case protocol.WorkComplete, protocol.WorkFail, protocol.WorkException, protocol.WorkData, protocol.WorkStatus, protocol.WorkWarning:
		if owner := f.owners[strings.SplitN(body, "\x00", 2)[0]]; owner != nil {
			owner.say(t, body)
		}
	}
	f.match()
}

// unpark answers the grabs of c.
func (f *fake) unpark(c *fakeConn) {
	var others []*fakeConn
	for _, p := range f.parked {
		if p == c {
			c.say(protocol.NoJob)
			continue
		}
		others = append(others, p)
	}
	f.parked = others
}

// match hands out jobs.
func (f *fake) match() {
	for q, j := range f.queue {
		for i, c := range f.parked {
			if c.cando[j.function] {
				f.queue = append(f.queue[:q:q], f.queue[q+1:]...)
				f.parked = append(f.parked[:i:i], f.parked[i+1:]...)
				c.say(protocol.JobAssignUniq, j.handle, j.function, j.unique, j.payload)
				f.match()
				return
			}
		}
	}
}

func (c *fakeConn) say(t protocol.Type, args ...string) {
	c.nc.Write(protocol.Append(nil, protocol.Res, t, toBytes(args)...))
}
