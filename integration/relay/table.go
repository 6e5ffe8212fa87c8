package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"gearbolt/protocol"
)

// A table is who can do what, and what is to be done.
type table struct {
	mu        sync.Mutex
	functions map[string]*function
	jobs      map[string]*job // by handle, until they are done
	last      int
	touched   []*conn // have something to be written
	args      protocol.Args
}

// A function is a queue, and those who work on it.
type function struct {
	name     string
	queue    []*job
	sleepers []*conn
	parked   []*conn // once for each grab that is kept
	workers  int
	total    int
}

type job struct {
	handle, payload []byte
	function        *function
	client          *conn // nil: nobody waits for it
}

func newTable() *table {
	return &table{functions: make(map[string]*function), jobs: make(map[string]*job)}
}

func (t *table) function(name []byte) *function {
	f := t.functions[string(name)]
	if f == nil {
		f = &function{name: string(name)}
		t.functions[f.name] = f
	}
	return f
}

// take does what a message asks for.
func (t *table) take(c *conn, m protocol.Message) error {
	if m.Magic == protocol.Text {
		c.out = append(c.out, t.admin(string(m.Body))...)
		t.touch(c)
		return nil
	}
	if err := protocol.Split(m.Type, m.Body, &t.args); err != nil {
		return err
	}
	switch m.Type {
	case protocol.CanDo:
		f := t.function(t.args.Arg[0])
		f.workers++
		c.functions = append(c.functions, f)
	case protocol.AllYours:
		c.parks = true
	case protocol.EchoReq:
		t.say(c, protocol.EchoRes, t.args.Data)
	case protocol.SubmitJob:
		t.submit(c, c)
	case protocol.SubmitJobBG:
		t.submit(c, nil)
	case protocol.GrabJob:
		t.grab(c)
	case protocol.PreSleep:
		t.sleep(c)
	case protocol.WorkComplete:
		t.complete(t.args.Arg[0], t.args.Data)
	default:
		return fmt.Errorf("%v is beyond a relay", m.Type)
	}
	return nil
}

func (t *table) touch(c *conn) {
	if !c.touched {
		c.touched = true
		t.touched = append(t.touched, c)
	}
}

func (t *table) say(c *conn, p protocol.Type, args ...[]byte) {
	c.out = protocol.Append(c.out, protocol.Res, p, args...)
	t.touch(c)
}

// submit makes a job of a submission.
func (t *table) submit(from, client *conn) {
	t.last++
	j := &job{handle: fmt.Appendf(nil, "H:relay:%d", t.last), payload: slices.Clone(t.args.Data), function: t.function(t.args.Arg[0]), client: client}
	t.jobs[string(j.handle)] = j
	t.say(from, protocol.JobCreated, j.handle)
	f := j.function
	f.total++
	if n := len(f.parked); n > 0 {
		w := f.parked[n-1]
		f.parked = f.parked[:n-1]
		w.grabs--
		t.assign(w, j)
		return
	}
	f.queue = append(f.queue, j)
	if n := len(f.sleepers); n > 0 {
		w := f.sleepers[n-1]
		f.sleepers = f.sleepers[:n-1]
		w.asleep = false
		t.say(w, protocol.Noop)
	}
}

func (t *table) assign(w *conn, j *job) {
	t.say(w, protocol.JobAssign, j.handle, []byte(j.function.name), j.payload)
}

// grab gives a worker a job, or none.
func (t *table) grab(w *conn) {
	for _, f := range w.functions {
		if len(f.queue) > 0 {
			j := f.queue[0]
			f.queue[0], f.queue = nil, f.queue[1:]
			t.assign(w, j)
			return
		}
	}
	if !w.parks || len(w.functions) == 0 {
		t.say(w, protocol.NoJob)
		return
	}
	w.grabs++
	w.functions[0].parked = append(w.functions[0].parked, w)
}

// sleep lets a worker sleep unless there is a job.
func (t *table) sleep(w *conn) {
	for _, f := range w.functions {
		if len(f.queue) > 0 {
			t.say(w, protocol.Noop)
			return
		}
	}
	if !w.asleep {
		w.asleep = true
		for _, f := range w.functions {
			f.sleepers = append(f.sleepers, w)
		}
	}
}

// complete passes a result on.
func (t *table) complete(handle, result []byte) {
	j := t.jobs[string(handle)]
	if j == nil {
		return
	}
	delete(t.jobs, string(handle))
	j.function.total--
	if j.client != nil {
		t.say(j.client, protocol.WorkComplete, handle, result)
	}
}

// forget takes a peer out. Its jobs are not done again.
func (t *table) forget(c *conn) {
	for _, f := range c.functions {
		f.workers--
		same := func(other *conn) bool { return other == c }
		f.sleepers = slices.DeleteFunc(f.sleepers, same)
		f.parked = slices.DeleteFunc(f.parked, same)
	}
}

// admin answers what "gearbolt bench" asks for.
func (t *table) admin(line string) string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return ".\n"
	}
	switch words[0] {
	case "version":
		return "OK relay\n"
	case "getpid":
		return fmt.Sprintf("OK %d\n", os.Getpid())
	case "drop":
		delete(t.functions, words[len(words)-1])
		return "OK\n"
	case "prioritystatus":
		return ".\n"
	case "status":
		var b strings.Builder
		for _, f := range t.functions {
			fmt.Fprintf(&b, "%s\t%d\t%d\t%d\n", f.name, f.total, f.total-len(f.queue), f.workers)
		}
		return b.String() + ".\n"
	}
	return "ERR UNKNOWN_COMMAND Unknown+server+command\r\n"
}
