package clients

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"gearbolt/protocol"
)

// A post holds a pool's connection to one server.
type post struct {
	pool *pool
	addr address
	told string // why it is down, as the log has it; "": it is up
}

func (p *post) serve(_ context.Context, nc net.Conn) (greeted bool, err error) {
	l := p.pool.join(p.addr, nc)
	if greeted, err = l.serve(p.pool.worker.ctx); greeted {
		p.told = ""
	}
	return greeted, err
}

func (p *post) lost(err error) {
	p.pool.worker.cfg.Logger.Warn("gearman: connection lost", "server", p.addr.host, "error", err)
}

func (p *post) failed(err error) {
	why := reason(err)
	if p.told != why {
		p.pool.worker.cfg.Logger.Warn("gearman: server cannot be reached", "server", p.addr.host, "error", err)
	}
	p.told = why
}

// A lane is one connection of a pool.
type lane struct {
	*link
	pool   *pool
	addr   address
	ctx    context.Context // of its jobs
	cancel context.CancelCauseFunc

	refused bool // the server knows no ALL_YOURS; owned by the reading goroutine
	standing
}

// bye is what the last ECHO_REQ of a connection carries.
var bye = []byte("gearbolt-bye")

// join adds a connection to the pool.
func (p *pool) join(a address, nc net.Conn) *lane {
	l := &lane{link: newLink(&p.worker.cfg, nc), pool: p, addr: a}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.health = func() { l.tell(protocol.EchoReq) }
	l.window, l.grab = 1, protocol.GrabJobAll
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lanes = append(p.lanes, l)
	if p.stopping {
		p.worker.tasks.Go(func() { l.fail(ErrClosed) })
	}
	return l
}

// part takes a lost lane out of the pool: what it has asked for will not come.
// Its jobs keep their slots until their handlers return.
func (p *pool) part(l *lane) (greeted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lanes = slices.DeleteFunc(p.lanes, func(o *lane) bool { return o == l })
	p.free += l.asked
	greeted = l.ready
	l.asked, l.ready = 0, false
	p.pump()
	return greeted
}

func (l *lane) log() *slog.Logger { return l.pool.worker.cfg.Logger }

// tell sends a packet, whatever waits to be written: it is small.
func (l *lane) tell(t protocol.Type, args ...[]byte) {
	l.mu.Lock()
	l.out = protocol.Append(l.out, protocol.Req, t, args...)
	l.end()
}

// serve registers the pool's functions and takes jobs until the connection is
// lost. Only then do the contexts of its jobs end: no handler can report that
// as the job's outcome.
func (l *lane) serve(ctx context.Context) (greeted bool, err error) {
	defer context.AfterFunc(ctx, func() { l.fail(ErrClosed) })()
	l.register()
	for err == nil {
		var m protocol.Message
		if m, err = l.in.next(); err == nil {
			err = l.hear(m)
		}
	}
	l.fail(err)
	<-l.stopped
	l.cancel(joined(ErrLost, l.link.err))
	greeted = l.pool.part(l)
	_, refused := l.link.err.(*ServerError)
	return greeted && !refused, l.link.err
}

// register tells the server what the lane can do. The answer to the echo tells
// that it has heard it, and what it thinks of ALL_YOURS.
func (l *lane) register() {
	l.mu.Lock()
	if id := l.pool.worker.cfg.ID; id != "" {
		l.out = protocol.Append(l.out, protocol.Req, protocol.SetClientID, []byte(id))
	}
	for _, f := range l.pool.functions {
		l.out = f.register(l.out)
	}
	if l.pool.parks() {
		l.out = protocol.Append(l.out, protocol.Req, protocol.AllYours)
	}
	l.out = protocol.Append(l.out, protocol.Req, protocol.EchoReq, hello)
	l.end()
}

// hear takes one packet. An error ends the connection.
func (l *lane) hear(m protocol.Message) error {
	switch m.Type {
	case protocol.JobAssign, protocol.JobAssignUniq, protocol.JobAssignAll:
		return l.assign(m)
	case protocol.NoJob:
		l.noJob()
	case protocol.Noop:
		l.noop()
	case protocol.EchoRes:
		return l.hearEcho(m.Body)
	case protocol.Error:
		return l.hearError(readServerError(m.Body))
	default:
		l.log().Debug("gearman: a packet that means nothing to a worker", "packet", m.Type.String(), "server", l.addr.host)
	}
	return nil
}

func (l *lane) hearEcho(body []byte) error {
	if bytes.Equal(body, bye) {
		return ErrClosed
	}
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.ready || !bytes.Equal(body, hello) {
		return nil
	}
	l.greeted()
	l.ready, l.parked = true, l.pool.parks() && !l.refused
	l.log().Debug("gearman: connected", "server", l.addr.host, "parked grabs", l.parked)
	l.pool.pump()
	l.settle()
	return nil
}

// hearError takes ERROR. That a job is not known is about the result of one
// that the server has given up meanwhile. Before the echo, QUEUE_ERROR says that
// the server takes no more connections or functions, and anything else is about
// ALL_YOURS. After it, it is about a grab: older servers know fewer ways to grab.
func (l *lane) hearError(e *ServerError) error {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	switch {
	case e.Code == string(protocol.JobNotFound):
	case !l.ready && e.Code == string(protocol.QueueError):
		return e
	case !l.ready:
		l.refused = true
	case l.asked == 0:
		l.log().Warn("gearman: the server complains", "server", l.addr.host, "error", e)
	case l.grab == protocol.GrabJob:
		return e
	default:
		l.grab = map[protocol.Type]protocol.Type{protocol.GrabJobAll: protocol.GrabJobUniq, protocol.GrabJobUniq: protocol.GrabJob}[l.grab]
		l.answered()
		l.dry = false
		l.pool.pump()
	}
	return nil
}

// assign begins a job.
func (l *lane) assign(m protocol.Message) error {
	var args protocol.Args
	if err := protocol.Split(m.Type, m.Body, &args); err != nil {
		return fmt.Errorf("a %s that cannot be read: %w", m.Type, err)
	}
	j := &Job{Handle: Handle{Server: l.addr.host, ID: string(args.Arg[0])}, Payload: l.in.keep(args.Data), lane: l}
	if args.N > 2 {
		j.Unique = string(args.Arg[2])
	}
	if args.N > 3 {
		j.Reducer = string(args.Arg[3])
	}
	f := l.pool.functions[string(args.Arg[1])]
	if f == nil {
		f = &function{name: string(args.Arg[1]), handler: strange}
	}
	j.Function = f.name
	l.jobBegins()
	l.pool.worker.jobs.Go(func() { j.run(f) })
	return nil
}

// strange answers for a function that the worker never said it can do.
func strange(_ context.Context, job *Job) ([]byte, error) {
	return nil, fmt.Errorf("%w: no function %q here", ErrFailed, job.Function)
}
