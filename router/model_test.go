package router

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A model is what the machine should be, written down the plain way: slices
// that are searched from end to end, and no thought for speed. It takes the
// same events, knows what each connection is to be told, and compares. Only
// where the machine is free to choose, which worker it wakes and which payload
// it reads back, does the model look at what the machine did; it then holds
// that against the laws.
type model struct {
	cfg   Config
	epoch uint64
	seq   uint64
	clock *testClock

	conns     []*modelConn
	jobs      []*modelJob // all that live, as they were submitted
	queue     []*modelJob // those that may run, as they came
	functions map[string]bool
	timers    int // how many were ever set
	known     int // how many jobs have become known
	closing   bool

	gone     map[persist.JobID]*modelJob // finished, and perhaps still in the store
	cancels  map[persist.JobID]*modelReply
	limits   modelLimits
	refusals Counters
	batch    []persist.Change // with the store
	handles  map[string]bool  // all that were ever given

	newFetches []Fetch // of this event
	fetches    []modelFetch
	enqueued   int        // jobs that came into the queue in this event
	mustWake   *modelConn // lay down over a job that waits
	machine    *Machine   // to look at where it may choose
}

// A modelJob is a job.
type modelJob struct {
	persist.Job        // with the payload, always
	handle      string // as clients see it
	key         string // what it coalesces by
	state       jobState
	background  bool
	put         modelPut
	clients     []*modelConn  // who is told of it; as often as they asked
	waiters     []*modelReply // submissions that are answered when it is stored
	worker      *modelConn
	timer       *modelTimer
	numerator   uint32
	denominator uint32
	known       int // the higher the later it became known to anybody; 0: not yet
}

// modelPut tells whether the store has a job.
type modelPut uint8

const (
	unstored modelPut = iota
	storing
	stored
)

// A modelTimer is a time at which something is due: on the clock that is never
// set, or of day.
type modelTimer struct {
	ran    time.Duration
	ofDay  time.Time // or zero
	number int       // of two that are due at once, the one that was set first comes first
}

// due is how long it is until the timer is due.
func (t *modelTimer) due(c *testClock) time.Duration {
	if !t.ofDay.IsZero() {
		return t.ofDay.Sub(c.wall)
	}
	return t.ran - c.ran
}

// A modelReply is something that a connection is to be told.
type modelReply struct {
	words   []string
	waiting bool // for the store
	loose   bool // may come before what was said in the same event
}

// A modelError is how the model ends a run: something went wrong.
type modelError struct{ error }

// failf ends the run.
func (m *model) failf(format string, args ...any) {
	panic(modelError{fmt.Errorf(format, args...)})
}

func newModel(clock *testClock, cfg Config, epoch uint64, handles map[string]bool) *model {
	return &model{
		cfg: cfg, epoch: epoch, clock: clock, handles: handles,
		functions: make(map[string]bool),
		gone:      make(map[persist.JobID]*modelJob),
		cancels:   make(map[persist.JobID]*modelReply),
		limits:    modelLimits{now: make(map[string]persist.Limit), stored: make(map[string]persist.Limit)},
	}
}

// A modelConn is a connection.
type modelConn struct {
	conn       *Conn
	id         string
	exceptions bool
	gone       bool
	closing    bool // nothing more is read from it

	expect []*modelReply // what it is to be told, in order
	heard  []string      // what it has been told in this event, but for NOOPs
	held   bool          // before this event it waited for the store

	abilities []*modelAbility // in the order of their turns
	since     int             // how many registrations there were
	holding   []*modelJob
	taken     map[persist.JobID]bool // jobs that were taken from it
	youngest  persist.JobID          // of the jobs that it was handed
	parks     bool
	parked    []protocol.Type

	sleep  sleepState
	noopAt time.Duration // when it was woken last; it counts for that long as on its way
	silent bool          // did not come in time
	sleeps int           // PRE_SLEEPs that it has said
	noops  int           // NOOPs that it has been told
}

// A modelAbility is a function that a connection is registered for.
type modelAbility struct {
	function string
	times    int
	timeout  time.Duration
	since    int
}

func (m *model) connect(conn *Conn) {
	m.conns = append(m.conns, &modelConn{conn: conn, id: "-", exceptions: m.cfg.Exceptions, taken: make(map[persist.JobID]bool)})
}

// say notes that c is to be told something, a word for each packet or line.
func (c *modelConn) say(words ...string) *modelReply {
	r := &modelReply{words: words}
	if !c.gone && !c.closing {
		c.expect = append(c.expect, r)
	}
	return r
}

// wait keeps the next place for something that is said later.
func (c *modelConn) wait() *modelReply {
	r := c.say()
	r.waiting = true
	return r
}

func (r *modelReply) fill(words ...string) { r.words, r.waiting = words, false }

// blocked reports whether what c is to be told waits for the store.
func (c *modelConn) blocked() bool { return len(c.expect) > 0 && c.expect[0].waiting }

// end closes c after all that it is to be told.
func (c *modelConn) end() {
	c.say(closed)
	c.closing, c.parked = true, nil
}

// closed stands among the words for the end of a connection.
const closed = "closed"

func (c *modelConn) ability(function string) *modelAbility {
	for _, a := range c.abilities {
		if a.function == function {
			return a
		}
	}
	return nil
}

// compare holds what c has heard against what it was to be told.
func (m *model) compare(c *modelConn) {
	for _, word := range c.heard {
		if c.drop(); m.overflowed(c, word) {
			break
		}
		if !c.take(word) {
			m.failf("connection %d was told %s, and was to be told %s", c.conn.number, word, c.next())
		}
	}
	c.heard = c.heard[:0]
	c.drop()
	if len(c.expect) > 0 && !c.blocked() {
		m.failf("connection %d was not told %s", c.conn.number, c.next())
	}
}

// take takes a word off what c is to be told.
func (c *modelConn) take(word string) bool {
	for i, r := range c.expect {
		switch {
		case r.waiting:
			return false
		case r.words[0] == word && (i == 0 || r.loose):
			r.words = r.words[1:]
			return true
		}
	}
	return false
}

// drop drops what has been said.
func (c *modelConn) drop() {
	c.expect = slices.DeleteFunc(c.expect, func(r *modelReply) bool { return !r.waiting && len(r.words) == 0 })
}

func (c *modelConn) next() string {
	switch {
	case len(c.expect) == 0:
		return "nothing"
	case c.expect[0].waiting:
		return "nothing before the store answers"
	}
	return strings.Join(c.expect[0].words, ", ")
}

// overflowed notes that the machine closed c since too much waited for the
// store there. How much is too much is tested elsewhere.
func (m *model) overflowed(c *modelConn, word string) bool {
	if word != closed || m.cfg.ReplyLimit == 0 && m.cfg.Limits.Replies == 0 || !c.blocked() {
		return false
	}
	c.closing, c.parked, c.expect = true, nil, nil
	return true
}
