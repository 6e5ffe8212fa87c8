package clients

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// A server is one that a client may call. A goroutine holds a connection to it
// from the first call on.
type server struct {
	client *Client
	addr   address
	key    uint64 // its hash
	live   atomic.Pointer[session]

	mu      sync.Mutex // guards what follows
	started bool
	down    error         // why it cannot be used; nil while it is up, or being tried for the first time
	changed chan struct{} // closed and replaced when live or down change
}

func newServer(c *Client, a address) *server {
	return &server{client: c, addr: a, key: hash(a.host), changed: make(chan struct{})}
}

// session returns the live session. While the server has not been tried yet, or
// was lost this moment, it waits; of a server that is down it says so at once.
func (s *server) session(ctx context.Context) (*session, error) {
	for {
		if ses := s.live.Load(); ses != nil {
			return ses, nil
		}
		ses, changed, err := s.watch()
		switch {
		case ses != nil:
			return ses, nil
		case err != nil:
			return nil, err
		}
		select {
		case <-changed:
		case <-s.client.ctx.Done():
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// watch starts the server's goroutine, if need be, and returns the live session,
// or why the server is down, or what is closed when one of them changes.
func (s *server) watch() (ses *session, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		if !s.client.start(s.hold) {
			return nil, nil, ErrClosed
		}
		s.started = true
	}
	return s.live.Load(), s.changed, s.down
}

func (s *server) hold() { s.client.cfg.hold(s.client.ctx, s.addr, s) }

// serve is the holder's use of a connection.
func (s *server) serve(ctx context.Context, nc net.Conn) (greeted bool, err error) {
	return newSession(s, nc).serve(ctx)
}

// raise makes a session the live one.
func (s *server) raise(ses *session) {
	s.client.cfg.Logger.Debug("gearman: connected", "server", s.addr.host)
	s.live.Store(ses)
	s.change(nil)
	s.client.raised()
}

// lower ends the use of a session for new calls.
func (s *server) lower(ses *session) { s.live.CompareAndSwap(ses, nil) }

func (s *server) lost(err error) {
	s.client.cfg.Logger.Warn("gearman: connection lost", "server", s.addr.host, "error", err)
}

func (s *server) failed(err error) {
	if s.change(err) {
		s.client.cfg.Logger.Warn("gearman: server cannot be reached", "server", s.addr.host, "error", err)
	}
}

// change sets why the server is down, and reports whether it was not before, or
// for another reason.
func (s *server) change(down error) (fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh = s.down == nil || down != nil && reason(s.down) != reason(down)
	s.down = down
	close(s.changed)
	s.changed = make(chan struct{})
	return fresh
}
