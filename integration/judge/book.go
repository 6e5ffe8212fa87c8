package judge

import (
	"fmt"
	"sync"
	"time"
)

// A Book is a log of what peers of a server did and were told. Its methods may
// be called from several goroutines.
type Book struct {
	// Retries is the server's --job-retries: a job that was lost by that many
	// workers is given up. 0: none is. It is set before anything is recorded.
	Retries int

	began time.Time

	mu          sync.Mutex // guards all that follows
	events      []Event
	life        int
	dead        bool
	inPeace     map[int]bool // lives that ended as they were asked to
	conns       []conn       // by number, from 1
	submissions map[string]*submission
	entries     map[string]*entry // by handle
	open        map[*entry]bool   // acknowledged, and not known to be gone
	unanswered  int               // submissions of which nothing is known
	again       int
	acked       int
	ended       int
	found       []Violation // since the last Judge
}

// A conn is what is known of a connection.
type conn struct {
	life   int
	closed bool
	said   []*entry // whose end was said, and not heard yet
}

// A submission is a job as one peer has sent it.
type submission struct {
	*Job
	handle  string // "": nobody was told one
	refused string // the text of the ERROR
}

// New opens a book.
func New() *Book {
	return &Book{
		began:       time.Now(),
		inPeace:     make(map[int]bool),
		submissions: make(map[string]*submission),
		entries:     make(map[string]*entry),
		open:        make(map[*entry]bool),
	}
}

// Now is the time by the book's clock.
func (b *Book) Now() time.Duration { return time.Since(b.began) }

// At is the time by the book's clock at t.
func (b *Book) At(t time.Time) time.Duration { return t.Sub(b.began) }

// Record writes an event down. The book says when it happened, unless the event
// does, and in which life of the server.
func (b *Book) Record(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record(e)
}

func (b *Book) record(e Event) {
	if e.At == 0 {
		e.At = b.Now()
	}
	b.apply(e)
}

// Started notes that a server is about to be talked to: a new life begins.
func (b *Book) Started() { b.Record(Event{Kind: Started}) }

// Died notes that the server is dead, and no longer about to be.
func (b *Book) Died() { b.Record(Event{Kind: Died}) }

// Ended notes that the server has ended as it was asked to: whatever it has
// answered to is on stable storage.
func (b *Book) Ended() { b.Record(Event{Kind: Died, Known: true}) }

// Fault notes what was done to the server.
func (b *Book) Fault(format string, args ...any) {
	b.Record(Event{Kind: Fault, Note: fmt.Sprintf(format, args...)})
}

// Conn gives a connection to the server that lives now its number.
func (b *Book) Conn() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addConn()
}

func (b *Book) addConn() int {
	b.conns = append(b.conns, conn{life: b.life})
	return len(b.conns)
}

// Life is how often a server was started.
func (b *Book) Life() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.life
}

// Until returns a book of all that was written down until t by the book's
// clock, and the process being dead then.
func (b *Book) Until(t time.Duration) *Book {
	b.mu.Lock()
	defer b.mu.Unlock()
	cut := New()
	cut.began, cut.Retries = b.began, b.Retries
	for _, e := range b.events {
		if e.At > t {
			break
		}
		for len(cut.conns) < e.Conn {
			cut.conns = append(cut.conns, conn{life: b.conns[len(cut.conns)].life})
		}
		cut.apply(e)
	}
	if !cut.dead {
		cut.apply(Event{Kind: Died, At: t})
	}
	return cut
}

// Events returns a copy of the log.
func (b *Book) Events() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Event(nil), b.events...)
}

// Totals are figures for a report.
type Totals struct {
	Acknowledged int // background submissions whose JOB_CREATED was read
	Jobs         int // that have a handle that somebody was told
	Open         int // of these: acknowledged, and not known to be gone
	Ended        int // ends that were said by who held the job
	Again        int // jobs assigned again after their end was said, as they may
	Lives        int
	Events       int
}

// Totals counts.
func (b *Book) Totals() Totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Totals{b.acked, len(b.entries), len(b.open), b.ended, b.again, b.life, len(b.events)}
}

// Open returns the jobs by handle that were acknowledged and are not known to
// be gone; of the rest it has the submission whose payload they have, or the
// first that was told the handle.
func (b *Book) Open() map[string]*Job {
	b.mu.Lock()
	defer b.mu.Unlock()
	jobs := make(map[string]*Job, len(b.open))
	for e := range b.open {
		jobs[e.handle] = e.job.Job
	}
	return jobs
}

// Job returns the submission with a token, or nil.
func (b *Book) Job(token string) *Job {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.submissions[token]; s != nil {
		return s.Job
	}
	return nil
}

// violate notes what does not balance about a job, which may be nil.
func (b *Book) violate(i Invariant, e *entry, format string, args ...any) {
	v := Violation{Invariant: i, What: fmt.Sprintf(format, args...)}
	if e != nil {
		v.History = b.history(e)
	}
	b.found = append(b.found, v)
}

// history is what happened to a job: what is written about it, and the starts,
// deaths and faults since it is known.
func (b *Book) history(e *entry) (all []Event) {
	if len(e.events) == 0 {
		return nil
	}
	own, holders := e.events, make(map[int]bool)
	for _, i := range own {
		holders[b.events[i].Conn] = true
	}
	for i := own[0]; i < len(b.events); i++ {
		x := b.events[i]
		switch {
		case len(own) > 0 && own[0] == i:
			own = own[1:]
			all = append(all, x)
		case x.Kind == Started || x.Kind == Died || x.Kind == Fault, x.Kind == Closed && holders[x.Conn]:
			all = append(all, x)
		}
	}
	return all
}
