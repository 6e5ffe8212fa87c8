package clients

import (
	"context"
	"net"

	"gearbolt/protocol"
)

// A session is what a client has under way on one connection.
type session struct {
	*link
	client *Client
	server *server
	ready  bool // the server has said its first word; owned by the reading goroutine

	// Guarded by the link's lock.
	replies replies
	jobs    map[string]audience // by handle
}

// hello is what the first ECHO_REQ of a connection carries.
var hello = []byte("gearbolt-hello")

func newSession(s *server, nc net.Conn) *session {
	ses := &session{link: newLink(&s.client.cfg, nc), client: s.client, server: s, jobs: make(map[string]audience)}
	ses.health = ses.probe
	return ses
}

// serve says hello, takes what the server says until the connection is lost,
// and then ends all calls that are under way on it.
func (s *session) serve(ctx context.Context) (greeted bool, err error) {
	defer context.AfterFunc(ctx, func() { s.fail(ErrClosed) })()
	s.hello()
	for err == nil {
		var m protocol.Message
		if m, err = s.in.next(); err == nil {
			err = s.hear(m)
		}
	}
	s.fail(err)
	<-s.stopped
	s.server.lower(s)
	s.lose()
	return s.ready, s.link.err
}

// hello asks for exceptions. A server that does not know that answers with an
// ERROR, or with nothing; the echo tells that it has thought about it.
func (s *session) hello() {
	s.mu.Lock()
	s.out = protocol.Append(s.out, protocol.Req, protocol.OptionReq, []byte("exceptions"))
	if id := s.client.cfg.ID; id != "" {
		s.out = protocol.Append(s.out, protocol.Req, protocol.SetClientID, []byte(id))
	}
	s.out = protocol.Append(s.out, protocol.Req, protocol.EchoReq, hello)
	s.end()
}

// probe asks for a sign of life.
func (s *session) probe() {
	s.mu.Lock()
	s.replies.push(nil)
	s.out = protocol.Append(s.out, protocol.Req, protocol.EchoReq)
	s.end()
}

// run sends a call and waits for its end.
func (s *session) run(ctx context.Context, k *call) error {
	k.reset()
	if err := s.send(ctx, k); err != nil {
		return unsent{err: err, reached: true}
	}
	if k.stream != nil {
		return k.stream.pump(ctx, s, k)
	}
	return k.wait(ctx, s)
}

func (s *session) send(ctx context.Context, k *call) error {
	if err := s.begin(ctx); err != nil {
		if ctx.Err() == nil {
			s.server.lower(s)
		}
		return err
	}
	k.seq, k.state = s.replies.push(k), replying
	s.out = k.appendTo(s.out)
	k.end = s.position()
	s.end()
	return nil
}

// forget lets nobody wait for a call any more. It reports false when the call
// has ended meanwhile.
func (s *session) forget(k *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch k.state {
	case idle:
		return false
	case replying:
		s.replies.forget(k.seq, k.mayJoin())
	case running:
		s.leave(k)
	}
	k.state, k.sent = idle, true // what waits to be written goes out all the same
	return true
}

// leave takes a call out of its job's audience. Only a job with a unique id can
// get further calls, for which the place has to be kept.
func (s *session) leave(k *call) {
	a := s.jobs[k.handle]
	if a.giveUp(k); !k.mayJoin() {
		delete(s.jobs, k.handle)
		return
	}
	s.jobs[k.handle] = a
}

// lose ends all calls: the link is dead and its writer has ended, so that what
// the server can know is certain.
func (s *session) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, ok := s.replies.pop(); ok; k, ok = s.replies.pop() {
		if k != nil && k != ghost {
			s.loseCall(k)
		}
	}
	for _, a := range s.jobs {
		a.all(func(k *call) bool { s.loseCall(k); return true })
	}
	clear(s.jobs)
}

func (s *session) loseCall(k *call) {
	err := error(unsent{err: s.link.err, reached: true})
	if s.written.Load() >= k.end {
		k.sent = true
		err = joined(ErrLost, s.link.err)
	}
	s.finish(k, nil, err)
}

// finish ends a call. The session's lock is held, and the call is in none of
// its tables.
func (s *session) finish(k *call, data []byte, err error) {
	k.state, k.data, k.err = idle, data, err
	k.signal()
}
