package durability

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// function is what the jobs of the load are submitted under.
const function = "load"

const (
	submitters = 4
	workers    = 8
	window     = 32   // submissions on one connection that wait for their JOB_CREATED
	budget     = 500  // submissions of one submitter in one life of the server, at most
	backlog    = 4000 // jobs that are left from earlier lives, above which hardly any are submitted
	confirming = 8    // a worker has every so many ends confirmed
)

// A load is the peers of a server during one of its lives. They end when their
// connections do.
type load struct {
	addr  string
	books *books
	peers sync.WaitGroup
	ready sync.WaitGroup // all are at work
	calm  bool           // workers submit nothing and lose nothing
	limit int            // submissions of one submitter
	last  atomic.Int64
}

// begin starts the peers. Each has a source of chance of its own.
func begin(addr string, b *books, chance *rand.Rand) *load {
	l := &load{addr: addr, books: b, limit: 1 + chance.IntN(budget)}
	if open, _ := b.open(0); len(open) > backlog {
		l.limit = window
	}
	for i := range submitters {
		l.start(chance, func(r *rand.Rand, line *line) { l.submit(r, line, fmt.Sprintf("%d-s%d", b.life, i)) })
	}
	for i := range workers {
		l.start(chance, func(r *rand.Rand, line *line) { l.work(r, line, fmt.Sprintf("%d-w%d", b.life, i)) })
	}
	l.ready.Wait()
	return l
}

func (l *load) start(chance *rand.Rand, peer func(*rand.Rand, *line)) {
	own := rand.New(rand.NewPCG(chance.Uint64(), chance.Uint64()))
	l.ready.Add(1)
	l.peers.Go(func() {
		line, err := dial(l.addr)
		l.ready.Done()
		if err == nil {
			peer(own, line)
			line.close()
		}
	})
}

// kinds are all that make background jobs.
var kinds = []protocol.Type{
	protocol.SubmitJobBG, protocol.SubmitJobHighBG, protocol.SubmitJobLowBG,
	protocol.SubmitJobEpoch, protocol.SubmitReduceJobBG,
}

// draw makes up a job.
func (l *load) draw(r *rand.Rand, owner string) *job {
	j := &job{
		token:    fmt.Sprintf("%s-%d", owner, l.last.Add(1)),
		kind:     kinds[r.IntN(len(kinds))],
		priority: persist.Normal,
	}
	j.payload = j.token + "|" + strings.Repeat("x", r.IntN(1000))
	switch r.IntN(3) {
	case 0:
		j.unique = "-"
	case 1:
		j.unique = "unique of " + j.token
	}
	switch j.kind {
	case protocol.SubmitJobHighBG:
		j.priority = persist.High
	case protocol.SubmitJobLowBG:
		j.priority = persist.Low
	case protocol.SubmitReduceJobBG:
		j.reducer = "reducer of " + j.token
	case protocol.SubmitJobEpoch:
		j.due = time.Unix(time.Now().Unix()+r.Int64N(3), 0)
	}
	return j
}

// send submits a job.
func (j *job) send(line *line) {
	switch j.kind {
	case protocol.SubmitReduceJobBG:
		line.send(j.kind, function, j.unique, j.reducer, "", j.payload)
	case protocol.SubmitJobEpoch:
		line.send(j.kind, function, j.unique, strconv.FormatInt(j.due.Unix(), 10), j.payload)
	default:
		line.send(j.kind, function, j.unique, j.payload)
	}
}

// submit submits jobs, always some ahead of the answers.
func (l *load) submit(r *rand.Rand, line *line, owner string) {
	var waiting []*job
	for sent := 0; sent < l.limit || len(waiting) > 0; {
		for ; sent < l.limit && len(waiting) < window; sent++ {
			j := l.draw(r, owner)
			l.books.submitting(j)
			j.send(line)
			waiting = append(waiting, j)
		}
		reply, err := line.receive()
		if err != nil || reply.kind != protocol.JobCreated {
			return
		}
		l.books.created(waiting[0], reply.args[0])
		waiting = waiting[1:]
	}
	line.read() // stays until the server is gone
}

// A hand is a worker on one connection.
type hand struct {
	*load
	*line
	chance    *rand.Rand
	owner     string
	ended     []*job // not confirmed yet
	confirms  []*job // what the next JOB_CREATED confirms, behind its job
	confirmer *job
}

func (l *load) work(r *rand.Rand, first *line, owner string) {
	for line := first; ; {
		h := &hand{load: l, line: line, chance: r, owner: owner}
		again := h.run()
		line.close()
		if !again {
			return
		}
		var err error
		if line, err = dial(l.addr); err != nil {
			return
		}
	}
}

// run takes jobs until the connection ends. It reports whether that was the
// worker's own doing.
func (h *hand) run() (again bool) {
	h.send(protocol.CanDo, function)
	h.send(protocol.GrabJobAll)
	for {
		r, err := h.receive()
		if err != nil {
			return false
		}
		switch r.kind {
		case protocol.NoJob:
			h.send(protocol.PreSleep)
		case protocol.Noop:
			h.send(protocol.GrabJobAll)
		case protocol.JobCreated:
			h.books.created(h.confirmer, r.args[0])
			h.books.confirmed(h.confirms...)
			h.confirmer, h.confirms = nil, nil
		case protocol.JobAssignUniq, protocol.JobAssignAll:
			j := h.books.assigned(r)
			if !h.calm && h.chance.IntN(50) == 0 {
				return true // with the job in its hands
			}
			h.end(j)
			h.send(protocol.GrabJobAll)
		}
	}
}

// end says that a job is done, and sometimes submits one behind that.
func (h *hand) end(j *job) {
	if j == nil {
		return
	}
	h.books.ending(j)
	if h.chance.IntN(10) == 0 {
		h.send(protocol.WorkFail, j.handle)
	} else {
		h.send(protocol.WorkComplete, j.handle, "result")
	}
	if h.ended = append(h.ended, j); h.calm || len(h.ended) < confirming || h.confirmer != nil {
		return
	}
	h.confirmer, h.confirms, h.ended = h.draw(h.chance, h.owner), h.ended, nil
	h.books.submitting(h.confirmer)
	h.confirmer.send(h.line)
}
