package router

import (
	"slices"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// Config is policy as plain data. [Machine.Configure] changes it while the
// machine runs; Version and the handle prefix of jobs that exist stay.
type Config struct {
	HandlePrefix  string // before the colon of new handles, at most MaxPrefix bytes
	JobRetries    int    // how often a job is run in all before it is given up; 0 and less: no bound
	WorkerWakeup  int    // how many workers may be awake for one function's queue at a time; 0: as many as it has jobs
	Exceptions    bool   // every connection has the option "exceptions"
	PayloadMemory int64  // bytes of background payloads kept in memory; the rest is read back from the store
	ReplyLimit    int    // bytes of replies that may wait for the store on one connection before it is closed
	Limits        Limits // of what peers can make the machine keep

	Version string // answered to "version"
	Verbose string // answered to "verbose"
	PID     int    // answered to "getpid"

	// Linger is how long after a commit the next one waits for more to come if
	// nobody waits for it: if it has nothing but deletes and attempts. While a
	// queue drains these come one by one, and a commit costs what a hundred of
	// them do; and those whom the commit answered soon submit again, and would
	// find the store busy. A crash in between has some more jobs run again.
	Linger time.Duration
}

// MaxPrefix is the longest handle prefix, in bytes: an epoch and a number of
// 13 digits each still fit a handle of [protocol.MaxHandle] bytes behind it.
const MaxPrefix = protocol.MaxHandle - 2 - 13 - 13

// A Machine decides which worker runs which job. It is not safe for use by
// several goroutines at once; package comment: "The machine".
type Machine struct {
	cfg Config

	// Who is there.
	conns     list[*Conn]
	connAt    seats[Conn] // by Conn.seat
	lastConn  uint64
	abilities abilities

	// What is to be done.
	functions  map[string]*function
	functionAt seats[function]              // by function.seat
	ready      [persist.Priorities]readySet // functions with jobs that may run
	limits     limits                       // "maxqueue"
	jobs       jobs
	ties       slabs[ties]
	uniques    uniques
	last       jobNumber // the youngest job's
	running    int

	// Time.
	clock     clock
	deadlines deadlines

	// What must be stored, and what waits for that.
	gathering    *batch           // what the next commit takes
	committing   *batch           // what the store has; nil: nothing
	spare        *batch           // the one before, for its memory
	owed         []persist.Change // deletes that the store refused, to be offered again
	owedTimer    deadline
	lingerTimer  deadline
	lingerUntil  int64 // on the clock's line: from then on deletes are committed for themselves
	uncommitted  int64 // about what waits for the store, in bytes
	payloadBytes int64 // bytes of background payloads in memory

	// What limits go by: bounds.go.
	queueBytes int64 // payloads of all jobs
	memory     int64 // see Limits.Memory
	registry   int64 // of that, functions and registrations
	heldBytes  int64 // replies that wait, on all connections
	counters   Counters

	// What is to be said, read and done outside.
	arena    []byte // the heads of sends
	sends    []Send
	said     int // see Said
	fetches  []Fetch
	backups  []Backup
	shutdown ShutdownKind
	closing  bool // assigns no more jobs: Machine.Quiesce

	spareTexts [][]byte // of jobs that are no more
	spentTexts [][]byte // likewise, but what is to be said may point to them: until Sends

	args  protocol.Args  // scratch: the arguments of the packet in Step
	words protocol.Words // scratch: the words of the line in Step
}

// New returns a machine without connections and jobs. epoch is the store's
// count of starts, which every handle carries.
func New(now time.Time, epoch uint64, cfg Config) *Machine {
	m := &Machine{
		cfg:       cfg,
		functions: make(map[string]*function),
		limits:    newLimits(),
		last:      jobNumber{Epoch: epoch},
		gathering: &batch{number: 1},
		spare:     &batch{number: 2},
	}
	m.uniques = newUniques(&m.jobs)
	m.clock.start(now)
	m.owedTimer.fire = m.offerOwed
	m.lingerTimer.fire = func() {}
	return m
}

// Configure changes the policy; jobs and connections stay as they are.
func (m *Machine) Configure(now time.Time, cfg Config) {
	m.advance(now)
	m.cfg = cfg
	for p := range m.ready {
		for _, fn := range slices.Clone(m.ready[p]) { // who is woken may take its last job
			m.wake(fn) // by a higher WorkerWakeup
		}
	}
}

// Step takes the message that a connection has sent. The message's bytes are
// the caller's again once [Machine.Sends] has been called and what it returned
// been copied.
func (m *Machine) Step(now time.Time, c *Conn, msg protocol.Message) {
	m.advance(now)
	switch {
	case c.gone || c.closing:
	case msg.Magic == protocol.Text:
		m.admin(c, msg.Body)
	case msg.Magic != protocol.Req:
		m.sayError(c, protocol.InvalidMagic, protocol.TextInvalidMagic)
	case !msg.Type.Expected():
		m.sayError(c, protocol.InvalidCommand, protocol.TextInvalidCommand)
	default:
		m.packet(c, msg)
	}
}

// Tick does what has become due. The caller arranges for it to happen at
// [Machine.Next]; it does no harm at any other time.
func (m *Machine) Tick(now time.Time) {
	m.advance(now)
	for d := m.deadlines.due(m.clock.now); d != nil; d = m.deadlines.due(m.clock.now) {
		if d.job != 0 {
			m.timeUp(m.jobs.at(d.job))
		} else {
			d.fire()
		}
	}
}

// Next is when the machine next has something to do by itself; the zero time:
// never. It changes with every event.
func (m *Machine) Next() time.Time {
	if len(m.deadlines.heap) == 0 {
		return time.Time{}
	}
	at := m.deadlines.heap[0].at
	if m.deadlines.wall > 0 {
		at = min(at, m.clock.now+int64(wallCheck)) // to notice when the wall clock was set
	}
	return m.clock.time(at)
}

// Quiesce begins a shutdown: no job is assigned any more and no foreground job
// taken, and what runs may end.
func (m *Machine) Quiesce() { m.closing = true }

// Running is how many jobs are with a worker.
func (m *Machine) Running() int { return m.running }

// Jobs is how many jobs there are, waiting and running.
func (m *Machine) Jobs() int { return m.jobs.numbers.n }

// A ShutdownKind is what an operator asked for by the admin command "shutdown".
type ShutdownKind uint8

// None, "shutdown" and "shutdown graceful".
const (
	NoShutdown ShutdownKind = iota
	ShutdownNow
	ShutdownGraceful
)

// Shutdown is what the admin command "shutdown" has asked for so far.
func (m *Machine) Shutdown() ShutdownKind { return m.shutdown }
