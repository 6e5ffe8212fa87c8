package server

import (
	"errors"
	"io"
	"syscall"
	"time"

	"go.uber.org/zap"

	"gearbolt/protocol"
	"gearbolt/router"
)

// burst is how many messages are stepped in one visit to the machine at most:
// a peer that sends thousands at once lets others in between.
const burst = 256

// earful is how many bytes are said in one visit at most, but for those that
// follow from its last message: a line such as "status" is short, and its answer
// is not.
const earful = 64 << 10

// maxUncommitted is how many bytes of submissions a connection may have
// waiting for the store, or an eighth of Options.CommitMemory if that is less,
// before it is read no more until the next commit. When all of them have that
// memory used up, no submitter is.
const maxUncommitted = 8 << 20

// uncommittedLimit is what a connection may have waiting. s.mu is held.
func (s *Server) uncommittedLimit() int64 { return min(maxUncommitted, s.opts.CommitMemory/8) }

// readAll reads and steps until the connection ends.
func (c *conn) readAll() error {
	for {
		if err := c.fill(); err != nil {
			if err = c.failed(err); err != nil {
				return err
			}
			continue
		}
		if !c.begun {
			if name := protocol.Foreign(c.in.b); name != "" {
				return c.foreign(name)
			}
			c.begun = true
		}
		if err := c.process(); err != nil {
			return err
		}
		if c.rests() {
			return errRests
		}
	}
}

// process steps the messages that are complete in c.in and keeps the rest.
func (c *conn) process() error {
	msgs := c.in.msgs[:0]
	limits := protocol.Limits{Packet: int(c.server.packetLimit.Load())}
	used, need := 0, 0
	for {
		m, n, err := limits.Next(c.in.b[used:])
		if err == nil {
			msgs, used = append(msgs, m), used+n
			if len(msgs) < burst {
				continue
			}
		}
		if hungUp := c.step(msgs); hungUp {
			c.linger(lingerBytes)
			return errHungUp
		}
		msgs = msgs[:0]
		if errors.Is(err, protocol.ErrIncomplete) {
			need = n
			break
		}
		if err != nil {
			c.refuse(err)
			c.linger(lingerPacket)
			return err
		}
	}
	c.in.msgs = msgs
	return c.keep(used, need)
}

// keep moves the bytes behind the first used ones to the front, with room for
// a message of need bytes to go on arriving.
func (c *conn) keep(used, need int) error {
	rest := c.in.b[used:]
	if len(rest) == 0 {
		putBuffer(c.in)
		c.in = nil
		c.giveRoom()
		return nil
	}
	if used > 0 {
		c.in.b = append(c.in.b[:0], rest...)
	}
	if c.room > 0 && len(rest) < bufferSize {
		c.shrink()
	}
	if err := c.makeRoom(need); err != nil {
		return err
	}
	if a := (arrival{have: len(rest), need: need, room: c.room}); c.half.of {
		c.half.progress(a)
	} else {
		c.half.begin(c.server.sweeps.Load(), a)
	}
	return nil
}

// step has the machine take the messages. It reports whether the connection is
// closed by it.
func (c *conn) step(msgs []protocol.Message) (hungUp bool) {
	for much := c.hasMuch(len(msgs)); len(msgs) > 0 && !hungUp; much = true {
		var n int
		n, hungUp = c.stepSome(msgs, much)
		msgs = msgs[n:]
	}
	return hungUp
}

// stepSome is step for one visit. It returns how many of the messages were
// stepped.
func (c *conn) stepSome(msgs []protocol.Message, much bool) (n int, hungUp bool) {
	c.half.end()
	s := c.server
	s.lock(much)
	if s.closed || s.deaf {
		s.unlock(much)
		return 0, true
	}
	now := time.Now()
	c.visited(now)
	before := c.router.Uncommitted()
	for n < len(msgs) && s.machine.Said() < earful {
		s.machine.Step(now, c.router, msgs[n])
		n++
	}
	if c.router.Uncommitted() > before {
		s.regroup.joins(c)
	}
	s.collect(&c.turn)
	hungUp = c.router.Closing()
	ahead := s.throttle(c) != nil
	answered := c.turn.answer
	s.unlock(much)
	s.carryOut(&c.turn)
	c.acknowledge(msgs[n-1], answered)
	if ahead {
		c.awaitCommits(s.throttle)
	}
	return n, hungUp || much && c.out.isCut()
}

// throttle returns what a submitter waits for that is ahead of the disk, or
// nil. s.mu is held.
func (s *Server) throttle(c *conn) <-chan struct{} {
	own := c.router.Uncommitted()
	if int64(own) <= s.uncommittedLimit() && (own == 0 || s.machine.Uncommitted() <= s.opts.CommitMemory) {
		return nil
	}
	return s.nextCommit()
}

// unanswered returns what the answers to c's submissions, and to its requests
// for backups, wait for, or nil. s.mu is held.
func (s *Server) unanswered(c *conn) <-chan struct{} {
	if !c.router.Awaits() {
		return nil
	}
	return s.nextCommit()
}

// nextCommit returns a channel that is closed when the store next answers, or
// has made a backup. s.mu is held.
func (s *Server) nextCommit() <-chan struct{} {
	if s.commitWait == nil {
		s.commitWait = make(chan struct{})
	}
	return s.commitWait
}

// storeAnswered has those go on who wait for nextCommit. s.mu is held.
func (s *Server) storeAnswered() {
	if s.commitWait != nil {
		close(s.commitWait)
		s.commitWait = nil
	}
}

// awaitCommits waits for one commit after the other as long as reason has one
// to wait for.
func (c *conn) awaitCommits(reason func(*conn) <-chan struct{}) {
	s := c.server
	for {
		s.mu.Lock()
		wait := reason(c)
		s.mu.Unlock()
		if wait == nil {
			return
		}
		select {
		case <-s.quit:
			return
		case <-wait:
		}
	}
}

// foreign ends a connection of another protocol with one log line.
func (c *conn) foreign(name string) error {
	c.server.log.Info("connection closed: it speaks "+name+", not Gearman", zap.String("from", c.peer.Full))
	c.server.visit(func(m *router.Machine, _ time.Time) {
		m.Count(router.ForeignProtocols, 1)
		m.Refuse(c.router, "", "")
	})
	return errHungUp
}

// fill waits for bytes and adds them to c.in.
func (c *conn) fill() error {
	if c.raw == nil {
		return c.fillStream()
	}
	if err := c.raw.Read(c.readFunc); err != nil {
		return err
	}
	return c.readErr
}

// fillStream reads from a connection that has no socket of its own: it has to
// have a buffer while it waits.
func (c *conn) fillStream() error {
	if c.in == nil {
		c.in = getBuffer()
	}
	b := c.in
	n, err := c.nc.Read(b.b[len(b.b):cap(b.b)])
	b.b = b.b[:len(b.b)+n]
	if n > 0 {
		return nil
	}
	return err
}

// readSocket tries to read. With nothing there it gives its buffer back before
// it waits.
func (c *conn) readSocket(fd uintptr) (done bool) {
	if c.in == nil {
		c.in = getBuffer()
	}
	b := c.in
	n, err := ignoringEINTR(func() (int, error) { return readNow(fd, b.b[len(b.b):cap(b.b)], c.reads) })
	c.reads++
	switch {
	case err == syscall.EAGAIN:
		c.reads = 0
		if len(b.b) == 0 {
			putBuffer(b)
			c.in = nil
		}
		return false
	case err != nil:
		c.readErr = err
	case n == 0:
		c.readErr = io.EOF
	default:
		b.b, c.readErr = b.b[:len(b.b)+n], nil
	}
	return true
}

// writeOnce writes what the socket takes without waiting.
func (c *conn) writeOnce(b []byte) (int, error) {
	c.writing, c.written, c.writeErr = b, 0, nil
	err := c.raw.Write(c.writeFunc)
	c.writing = nil
	if err == nil {
		err = c.writeErr
	}
	return c.written, err
}

func (c *conn) writeSocket(fd uintptr) (done bool) {
	for len(c.writing) > 0 {
		n, err := ignoringEINTR(func() (int, error) { return writeNow(fd, c.writing) })
		if err == syscall.EAGAIN {
			break
		}
		if err != nil {
			c.writeErr = err
			break
		}
		c.written += n
		c.writing = c.writing[n:]
	}
	return true
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
