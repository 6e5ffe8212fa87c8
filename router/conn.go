package router

import "gearbolt/protocol"

// Peer is what the shell knows of the other end of a connection.
type Peer struct {
	Addr  string // the host's address as "workers" shows it, without a port
	Full  string // the address with its port, as "clients" and "jobs" show it
	Local bool   // came over a unix socket: may ask for a shutdown or a backup
	Owner any    // the shell's own; the machine hands it back in [Conn.Owner]
}

// A Conn is one connection: a client, a worker, an operator or all of them.
type Conn struct {
	peer   Peer
	number uint64
	seat   seat        // in Machine.connAt
	link   link[*Conn] // in Machine.conns

	gone    bool // the other end has closed
	closing bool // is to be closed: nothing more is read, and no job handed out
	closed  bool // a Send with Close has been made: nothing more is said

	// As anybody.
	id         string // SET_CLIENT_ID
	exceptions bool   // OPTION_REQ exceptions

	// Replies that wait for the store, and what waits behind them: the first of
	// held has number heldFirst. See send.go.
	held      []held
	heldSpace []held // where held begins anew when it is empty
	heldFirst uint64
	heldBytes int
	backups   int // that it has asked for and not heard of

	// As a client.
	listening   list[*listener]
	uncommitted int // bytes of its requests that wait for the store

	// As a worker.
	abilities     map[seat]abilityRef // by the function's
	turns         abilityList         // in the order of their turns: wake.go, grab.go
	turn          int64               // the last turn taken
	registered    int64               // how many abilities were ever registered
	registrations int                 // how many there are, each as often as it was registered
	awake         abilityList         // abilities whose function does not know that it can wake this worker
	holding       jobList
	timers        int    // how many of holding have a timer
	past          record // jobs that it may have held

	// Requests that wait for a job: park.go.
	parks  bool
	parked []assignment

	// Asleep or woken: wake.go.
	sleep    sleepState
	wokenFor *function
	woken    link[*Conn] // in wokenFor.woken
	wokenAt  int64
}

// Owner is what the shell gave as [Peer.Owner].
func (c *Conn) Owner() any { return c.peer.Owner }

// Number is the connection's number, from 1, never given twice.
func (c *Conn) Number() uint64 { return c.number }

// Uncommitted is about how many bytes of this connection's requests wait for
// the store. A shell that reads no more from it while this is large slows the
// client down to the speed of the disk.
func (c *Conn) Uncommitted() int { return c.uncommitted }

// Awaits reports whether c is to be told something that the store has a part in,
// and that nobody but c has any use for: one that has said its last word waits
// for that.
func (c *Conn) Awaits() bool { return c.uncommitted > 0 || c.backups > 0 }

// record remembers which jobs a connection may have held, so that its late
// words about them are swallowed rather than answered with an ERROR that most
// libraries cannot bear (Perl's worker dies of it). A job that is no more needs
// no place in it: whoever was handed that one or a younger one may have held
// it. One that was taken away and still lives, with another worker perhaps, does.
type record struct {
	youngest jobNumber // that the connection was ever handed
	taken    map[jobNumber]struct{}
}

// takenLimit bounds record.taken; past it an arbitrary one is forgotten.
const takenLimit = 4096

func (r *record) hand(id jobNumber) {
	if id.Compare(r.youngest) > 0 {
		r.youngest = id
	}
}

func (r *record) take(id jobNumber) {
	if r.taken == nil {
		r.taken = make(map[jobNumber]struct{})
	}
	for old := range r.taken {
		if len(r.taken) < takenLimit {
			break
		}
		delete(r.taken, old)
	}
	r.taken[id] = struct{}{}
}

// has reports whether the connection may have held a job that it does not
// hold; lives tells whether there is that job.
func (r *record) has(id jobNumber, lives bool) bool {
	_, taken := r.taken[id]
	return taken || !lives && id.Compare(r.youngest) <= 0
}

// Connect adds a connection.
func (m *Machine) Connect(peer Peer) *Conn {
	m.lastConn++
	c := &Conn{peer: peer, number: m.lastConn, id: "-", exceptions: m.cfg.Exceptions}
	c.link.of, c.woken.of = c, c
	c.seat = m.connAt.take(c)
	m.conns.pushBack(&c.link)
	return c
}

// setClientID is SET_CLIENT_ID.
func (m *Machine) setClientID(c *Conn) {
	id := protocol.CString(m.args.Arg[0])
	c.id = string(id[:min(len(id), protocol.MaxClientID)])
}

// Closing reports whether the machine has ended the connection: nothing that
// arrives on it is taken any more.
func (c *Conn) Closing() bool { return c.closing }
