package durability

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gearbolt/integration/judge"
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
	shared     = 20   // unique ids that all submitters use
	lease      = time.Second
)

// A load is the peers of a server during one of its lives. They end when their
// connections do.
type load struct {
	addr   string
	book   *judge.Book
	life   int
	peers  sync.WaitGroup
	ready  sync.WaitGroup // all are at work
	calm   bool           // workers submit nothing and lose nothing
	limit  int            // submissions of one submitter
	last   atomic.Int64
	recent recent
}

// recent are the handles that submitters were told last.
type recent struct {
	mu      sync.Mutex
	handles [64]string
	n       int
}

func (r *recent) add(handle string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handles[r.n%len(r.handles)] = handle
	r.n++
}

func (r *recent) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.handles[:min(r.n, len(r.handles))]...)
}

// begin starts the peers. Each has a source of chance of its own.
func begin(addr string, b *judge.Book, chance *rand.Rand) *load {
	l := &load{addr: addr, book: b, life: b.Life(), limit: 1 + chance.IntN(budget)}
	if b.Totals().Open > backlog {
		l.limit = window
	}
	for i := range submitters {
		l.start(chance, func(r *rand.Rand) { l.submit(r, fmt.Sprintf("%d-s%d", l.life, i)) })
	}
	for i := range workers {
		l.start(chance, func(r *rand.Rand) { l.work(r, fmt.Sprintf("%d-w%d", l.life, i), i == 0) })
	}
	l.start(chance, l.operate)
	l.ready.Wait()
	return l
}

func (l *load) start(chance *rand.Rand, peer func(*rand.Rand)) {
	own := rand.New(rand.NewPCG(chance.Uint64(), chance.Uint64()))
	l.ready.Add(1)
	l.peers.Go(func() {
		l.ready.Done()
		peer(own)
	})
}

// kinds are all that make background jobs.
var kinds = []protocol.Type{
	protocol.SubmitJobBG, protocol.SubmitJobHighBG, protocol.SubmitJobLowBG,
	protocol.SubmitJobEpoch, protocol.SubmitReduceJobBG,
}

// draw makes up a job.
func (l *load) draw(r *rand.Rand, owner string) *judge.Job {
	j := &judge.Job{
		Token:    fmt.Sprintf("%s-%d", owner, l.last.Add(1)),
		Type:     kinds[r.IntN(len(kinds))],
		Function: function,
	}
	j.Payload = j.Token + "|" + strings.Repeat("x", r.IntN(1000))
	switch r.IntN(10) {
	case 0, 1, 2:
		j.Unique = "-"
	case 3, 4, 5:
		j.Unique = "unique of " + j.Token
	}
	switch j.Type {
	case protocol.SubmitReduceJobBG:
		j.Reducer = "reducer of " + j.Token
	case protocol.SubmitJobEpoch:
		j.Due = time.Unix(time.Now().Unix()+r.Int64N(3), 0)
	}
	return j
}

// submit submits jobs, always some ahead of the answers.
func (l *load) submit(r *rand.Rand, owner string) {
	c, err := l.book.Client(l.addr)
	if err != nil {
		return
	}
	defer c.Close()
	for sent := 0; sent < l.limit || c.Waiting() > 0; {
		for ; sent < l.limit && c.Waiting() < window; sent++ {
			j := l.draw(r, owner)
			if r.IntN(10) == 0 { // all that have one unique id are alike, whichever comes first
				j.Type, j.Unique, j.Reducer, j.Due = protocol.SubmitJobBG, fmt.Sprintf("shared %d", r.IntN(shared)), "", time.Time{}
			}
			c.Submit(j)
		}
		handle, err := c.Answer()
		if err != nil {
			return
		}
		l.recent.add(handle)
	}
	c.Receive() // stays until the server is gone
}

// operate asks for jobs, and cancels some.
func (l *load) operate(r *rand.Rand) {
	const turns, asked = 10, 20
	c, err := l.book.Client(l.addr)
	if err != nil {
		return
	}
	defer c.Close()
	for range turns {
		handles := l.recent.list()
		r.Shuffle(len(handles), func(i, j int) { handles[i], handles[j] = handles[j], handles[i] })
		if _, err := c.States(handles[:min(len(handles), asked)]...); err != nil {
			return
		}
		if len(handles) > 0 {
			if _, err := c.Cancel(handles[0]); err != nil {
				return
			}
		}
		// A job of its own paces it by the disk, as submitters are.
		c.Submit(l.draw(r, fmt.Sprintf("%d-o", l.life)))
		if _, err := c.Answer(); err != nil {
			return
		}
	}
	c.Receive()
}

// A hand is a worker on one connection.
type hand struct {
	*load
	*judge.Worker
	chance *rand.Rand
	owner  string
	hung   string // a job that it does not get on with
	since  time.Time
}

func (l *load) work(r *rand.Rand, owner string, timed bool) {
	for again := true; again; {
		w, err := l.book.Worker(l.addr)
		if err != nil {
			return
		}
		if timed && !l.calm {
			w.CanDoTimeout(function, lease)
		} else {
			w.Send(protocol.CanDo, function)
		}
		h := &hand{load: l, Worker: w, chance: r, owner: owner}
		again = h.run()
		w.Close()
	}
}

// run takes jobs until the connection ends. It reports whether that was the
// worker's own doing.
func (h *hand) run() (again bool) {
	for {
		a, err := h.Next()
		if err != nil {
			return false
		}
		switch {
		case !h.calm && h.chance.IntN(50) == 0:
			return true // with the job in its hands
		case h.Lease > 0 && h.hung == "" && h.chance.IntN(20) == 0:
			h.hung, h.since = a.Handle, time.Now()
			continue
		}
		h.end(a.Handle)
		if h.hung != "" && time.Since(h.since) > h.Lease+h.Lease/4 {
			h.end(h.hung) // too late, and to no effect
			h.hung = ""
		}
	}
}

// end says that a job is done, and sometimes submits one behind that.
func (h *hand) end(handle string) {
	how := protocol.WorkComplete
	if h.chance.IntN(10) == 0 {
		how = protocol.WorkFail
	}
	h.End(handle, how, "result")
	if !h.calm && h.Unconfirmed() >= confirming {
		j := h.draw(h.chance, h.owner)
		j.Unique = ""
		h.Confirm(j)
	}
}
