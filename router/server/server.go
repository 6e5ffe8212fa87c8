// Package server is the shell around the machine of package router: it owns
// the listeners, the connections, the machine's lock, its timer and the
// store's answers.
//
// A connection's goroutine reads what has arrived, takes the lock once, steps
// all packets, moves what the machine wants said into the connections'
// outboxes, gives the lock back and writes out the outboxes that it touched.
// Nothing blocks while the lock is held: no read, no write, no commit, no
// channel.
//
// Besides that, a connection that is likely to be silent waits on a small stack
// (rest.go); those with a great deal to do stand in line for the lock (line.go);
// memory that all connections share is handed out and taken back (allowance.go,
// room.go, backlog.go), and those that keep others from it are cut off (half.go,
// sweep.go, hoard.go); who comes when there are too many is told so (refused.go).
// Submitters that the store answers together are stored together again, for
// which a second timer bounds how long a commit is held back (regroup.go).
//
//	accept → read, decode ─lock─► Step → Sends, Changes ─unlock─► outboxes → one write per connection
//	                                          │
//	                                          └► Store.Commit … done ─lock─► Committed → Sends ─unlock─► write
package server

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"gearbolt/persist"
	"gearbolt/protocol"
	"gearbolt/router"
)

// Options are the settings of a server. The zero value of a limit is no limit,
// unless it says otherwise.
type Options struct {
	Router router.Config

	PacketLimit              int // bytes of a packet's body; 0: protocol.DefaultPacketLimit
	OutboxLimit              int // bytes that may wait for a peer that does not read; 0: DefaultOutboxLimit
	MaxConnections           int
	MaxConnectionsPerAddress int

	KeepAlive        net.KeepAliveConfig // of TCP connections
	UserTimeout      time.Duration       // TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged
	HandshakeTimeout time.Duration       // of TLS; 0: DefaultHandshakeTimeout
	ReadTimeout      time.Duration       // for a message that has begun, unless it comes at leastRate

	// Of all connections together, in bytes.
	OutboxMemory int64 // that wait for peers that do not read, before the worst of them is cut off
	ReadMemory   int64 // in buffers of large packets that are arriving, and in payloads being read back
	CommitMemory int64 // of submissions that wait for the store; 0: DefaultCommitMemory

	// LogLinesDropped is how many lines the logger has not written so far. nil
	// is none.
	LogLinesDropped func() uint64
}

// Defaults of Options.
const (
	DefaultOutboxLimit      = 64 << 20
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultCommitMemory     = 64 << 20
)

func (o Options) withDefaults() Options {
	if o.PacketLimit <= 0 {
		o.PacketLimit = protocol.DefaultPacketLimit
	}
	if o.OutboxLimit <= 0 {
		o.OutboxLimit = DefaultOutboxLimit
	}
	if o.HandshakeTimeout <= 0 {
		o.HandshakeTimeout = DefaultHandshakeTimeout
	}
	if o.CommitMemory <= 0 {
		o.CommitMemory = DefaultCommitMemory
	}
	if o.LogLinesDropped == nil {
		o.LogLinesDropped = func() uint64 { return 0 }
	}
	o.Router.ReplyLimit = o.OutboxLimit
	return o
}

// A Server routes jobs between the connections of its listeners.
type Server struct {
	store     persist.Store
	log       *zap.Logger
	recovered int

	done     chan struct{} // closed when the server wants to end, see Done
	quit     chan struct{} // closed when it ends or has failed
	doneOnce sync.Once
	quitOnce sync.Once
	tasks    sync.WaitGroup // connections, accept loops and the sweep
	writers  tally          // writes that wait for a peer to read, or that the store's goroutine leaves to others
	readers  tally          // payloads being read back from the store

	packetLimit atomic.Int64 // Options.PacketLimit, for every read
	sweeps      atomic.Int64 // how often the server has looked around
	backlog     backlog      // outboxes whose peers are slow, or that are large
	reading     allowance    // Options.ReadMemory: large packets that are arriving
	hoards      hoards       // who has some of that
	fetching    allowance    // and payloads that are being read back
	farewells   atomic.Int64 // peers that are turned away and told why

	line       sync.Mutex // before mu, for those who have much to do: line.go
	mu         sync.Mutex // guards all that follows; nothing blocks under it
	opts       Options
	machine    *router.Machine
	regroup    regroup
	timer      *time.Timer
	armed      time.Time     // when timer fires; zero: it does not
	commitWait chan struct{} // closed when the store next answers; nil: nobody waits for it
	listeners  map[net.Listener]struct{}
	conns      map[*conn]struct{}
	perAddress map[string]int
	draining   bool          // Drain
	quiet      chan struct{} // Shutdown: closed when nothing runs and all is stored
	deaf       bool          // Shutdown: takes no more messages
	closed     bool
	err        error
}

// New returns a server for the jobs that are in the store, which it loads. The
// store stays the caller's to close, after [Server.Close].
func New(o Options, store persist.Store, log *zap.Logger) (*Server, error) {
	o = o.withDefaults()
	if p := o.Router.HandlePrefix; len(p) > router.MaxPrefix {
		return nil, fmt.Errorf("handle prefix %q has more than %d bytes", p, router.MaxPrefix)
	}
	s := &Server{
		store:      store,
		log:        log,
		opts:       o,
		machine:    router.New(time.Now(), store.Epoch(), o.Router),
		done:       make(chan struct{}),
		quit:       make(chan struct{}),
		listeners:  make(map[net.Listener]struct{}),
		conns:      make(map[*conn]struct{}),
		perAddress: make(map[string]int),
	}
	s.packetLimit.Store(int64(o.PacketLimit))
	s.shareReadMemory(o.ReadMemory)
	s.sweeps.Store(1)
	if err := store.Load(s.restore); err != nil {
		return nil, err
	}
	s.regroup = newRegroup(s.endRegroup)
	s.timer = time.AfterFunc(time.Hour, s.tick)
	s.tick() // arms the timer for what was restored
	s.tasks.Go(s.sweep)
	return s, nil
}

func (s *Server) restore(c persist.Change) error {
	s.machine.Restore(c)
	if c.Kind == persist.PutJob {
		s.recovered++
	}
	return nil
}

// Recovered is how many jobs came back from the store.
func (s *Server) Recovered() int { return s.recovered }

// Reconfigure changes what can be changed while the server runs: the router's
// policy and all limits. Connections that are open keep their socket options.
func (s *Server) Reconfigure(o Options) {
	o = o.withDefaults()
	s.packetLimit.Store(int64(o.PacketLimit))
	s.shareReadMemory(o.ReadMemory)
	s.visit(func(m *router.Machine, now time.Time) {
		s.opts = o
		m.Configure(now, o.Router)
	})
}

// Done is closed when the server wants to end: an operator said "shutdown", it
// is drained, or it failed. Whoever owns it then calls Shutdown or Close.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is why the server failed, or nil. After a failure of the store nobody
// knows what is on disk: the process is to end with nothing more said.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// fail ends the server for a reason after which nothing may be answered.
func (s *Server) fail(err error) {
	s.mu.Lock()
	first := s.err == nil && !s.closed
	if first {
		s.err = err
	}
	s.closed = true
	s.mu.Unlock()
	s.quitOnce.Do(func() { close(s.quit) }) // a Shutdown that waits for jobs waits in vain
	if first {
		s.log.Error("the store failed; ending without an answer to what was not stored", zap.Error(err))
	}
	s.want()
}

// want tells the owner that the server wants to end.
func (s *Server) want() { s.doneOnce.Do(func() { close(s.done) }) }

// errServerClosed ends connections and commits after Close.
var errServerClosed = errors.New("the server is closed")
