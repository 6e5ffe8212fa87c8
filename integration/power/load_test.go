package power

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// A load is what peers do to a server.
type load struct {
	submitters int
	workers    int
	jobs       int // of each submitter
	window     int // submissions on a connection that wait for their JOB_CREATED
	payload    int // of a job, in bytes, at most
}

// mixed is submissions of every kind, with workers at work.
var mixed = load{submitters: 3, workers: 3, jobs: 300, window: 6, payload: 2000}

// growing makes the store's file longer, more than once.
var growing = load{submitters: 4, workers: 1, jobs: 70, window: 4, payload: 250_000}

// Jobs of function done are taken by workers, and those of function kept stay.
const (
	done = "done"
	kept = "kept"
)

// confirming is after how many ends a worker has them confirmed.
const confirming = 5

// peers are a load at work.
type peers struct {
	load
	addr       string
	book       *judge.Book
	tokens     *atomic.Int64
	name       string
	submitting sync.WaitGroup
	working    sync.WaitGroup
}

// begin puts peers to work. The submitters end by themselves; all end when the
// server does.
func (l load) begin(addr string, book *judge.Book, seed uint64) *peers {
	p := &peers{load: l, addr: addr, book: book, tokens: new(atomic.Int64), name: fmt.Sprintf("life%d", book.Life())}
	for i := range uint64(l.submitters) {
		p.submitting.Go(func() { p.submit(rand.New(rand.NewPCG(seed, i))) })
	}
	for i := range uint64(l.workers) {
		p.working.Go(func() { p.work(rand.New(rand.NewPCG(seed, 100+i))) })
	}
	return p
}

// kinds are all that make background jobs.
var kinds = []protocol.Type{
	protocol.SubmitJobBG, protocol.SubmitJobHighBG, protocol.SubmitJobLowBG,
	protocol.SubmitJobEpoch, protocol.SubmitReduceJobBG,
}

func (p *peers) draw(chance *rand.Rand) *judge.Job {
	j := &judge.Job{
		Token:    fmt.Sprintf("%s-%d", p.name, p.tokens.Add(1)),
		Type:     kinds[chance.IntN(len(kinds))],
		Function: done,
	}
	if chance.IntN(4) == 0 {
		j.Function = kept
	}
	j.Payload = j.Token + "|" + strings.Repeat("x", chance.IntN(p.payload))
	if chance.IntN(2) == 0 {
		j.Unique = "unique of " + j.Token
	}
	switch j.Type {
	case protocol.SubmitJobEpoch:
		j.Due = time.Unix(time.Now().Unix()+chance.Int64N(2), 0)
	case protocol.SubmitReduceJobBG:
		j.Reducer = "reducer of " + j.Token
	}
	return j
}

func (p *peers) submit(chance *rand.Rand) {
	c, err := p.book.Client(p.addr)
	if err != nil {
		return
	}
	defer c.Close()
	for sent := 0; sent < p.jobs || c.Waiting() > 0; {
		for ; sent < p.jobs && c.Waiting() < p.window; sent++ {
			c.Submit(p.draw(chance))
		}
		if _, err := c.Answer(); err != nil {
			return
		}
	}
}

func (p *peers) work(chance *rand.Rand) {
	for {
		w, err := p.book.Worker(p.addr, done)
		if err != nil {
			return
		}
		again := p.workOn(w, chance)
		w.Close()
		if !again {
			return
		}
	}
}

// workOn does jobs until the connection ends, and reports whether that was the
// worker's own doing, which leaves with a job in its hands.
func (p *peers) workOn(w *judge.Worker, chance *rand.Rand) (again bool) {
	for {
		a, err := w.Next()
		if err != nil {
			return false
		}
		how := protocol.WorkComplete
		switch chance.IntN(40) {
		case 0:
			return true
		case 1, 2:
			how = protocol.WorkFail
		}
		w.End(a.Handle, how, "result")
		if w.Unconfirmed() >= confirming {
			j := p.draw(chance)
			w.Confirm(j)
		}
	}
}

// run has peers work on a server on a disk until all is submitted, and kills the
// server. It returns when all of them are gone.
func (l load) run(t *testing.T, p program, disk string, book *judge.Book, seed uint64) {
	t.Helper()
	book.Started()
	s, err := p.start(disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	at := l.begin(s.addr, book, seed)
	at.submitting.Wait()
	s.Kill()
	book.Died()
	at.working.Wait()
}
