package clients

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errStopped says that a stream's reader has had enough.
var errStopped = errors.New("stopped")

// errSlow says that a server was given its share of a call's time.
var errSlow = errors.New("no connection in time")

// do sends a call to the first server that can be reached, to the next while it
// certainly was not sent, and again as far as its options say.
func (c *Client) do(ctx context.Context, k *call) error {
	if err := k.check(c.cfg.PacketLimit); err != nil {
		return k.failure(err)
	}
	if err := ctx.Err(); err != nil {
		return k.failure(err)
	}
	for rounds := 0; ; rounds++ {
		up := c.nextUp(k)
		err := c.round(ctx, k)
		if err == nil || err == errStopped {
			return err
		}
		if !c.again(ctx, k, err, rounds, up) {
			return c.verdict(ctx, k, err)
		}
	}
}

// again decides whether a call that came to nothing makes another round, for
// which it may wait.
func (c *Client) again(ctx context.Context, k *call, err error, rounds int, up <-chan struct{}) bool {
	u, notSent := asUnsent(err)
	switch {
	case c.ctx.Err() != nil || ctx.Err() != nil:
		return false
	case !notSent:
		return errors.Is(err, ErrLost) && k.mayRepeat()
	case u.reached && rounds <= len(c.servers):
		return true
	case refusal(err) != nil: // a server that refuses is there: no other comes up for that
		return false
	}
	return k.opts.wait && c.await(ctx, up)
}

// mayRepeat takes one of the attempts that [Retry] allows. What a stream has
// shown cannot be unseen.
func (k *call) mayRepeat() bool {
	k.opts.again--
	return k.opts.again >= 0 && (k.stream == nil || !k.stream.began)
}

// round tries one server after the other until one has taken the call.
func (c *Client) round(ctx context.Context, k *call) error {
	var all unsent
	order := c.order(k)
	for i, s := range order {
		err := c.try(ctx, s, k, len(order)-i)
		u, notSent := asUnsent(err)
		if !notSent {
			return err
		}
		all.reached = all.reached || u.reached
		if all.err == nil {
			all.err = fmt.Errorf("%s: %w", s.addr.host, u.err)
		} else {
			all.err = fmt.Errorf("%w; %s: %w", all.err, s.addr.host, u.err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return all
}

// try makes one attempt at one server, which may wait for the connection only
// its share of the time that is left for it and the others.
func (c *Client) try(ctx context.Context, s *server, k *call, left int) error {
	ses := s.live.Load()
	if ses == nil {
		var err error
		if ses, err = s.within(ctx, left); err != nil {
			return unsent{err: err}
		}
	}
	k.server = s.addr.host
	return ses.run(ctx, k)
}

// within waits for a session for a share of the time that ctx leaves.
func (s *server) within(ctx context.Context, left int) (*session, error) {
	deadline, ok := ctx.Deadline()
	if !ok || left < 2 {
		return s.session(ctx)
	}
	share, cancel := context.WithTimeoutCause(ctx, time.Until(deadline)/time.Duration(left), errSlow)
	defer cancel()
	ses, err := s.session(share)
	if err != nil && ctx.Err() == nil && share.Err() != nil {
		err = errSlow
	}
	return ses, err
}

// ask sends a call to one server only.
func (c *Client) ask(ctx context.Context, s *server, k *call) error {
	if err := c.try(ctx, s, k, 1); err != nil {
		return c.verdict(ctx, k, err)
	}
	return nil
}

// verdict says what an error means for the caller. Why no server could be
// reached is for people only: a time-out among the reasons is not the caller's.
func (c *Client) verdict(ctx context.Context, k *call, err error) error {
	_, notSent := asUnsent(err)
	switch {
	case !notSent:
	case ctx.Err() != nil:
		err = ctx.Err()
	case c.ctx.Err() != nil:
		err = ErrClosed
	case k.sent: // an earlier attempt was
		err = joined(ErrLost, err)
	case refusal(err) != nil:
		err = refusal(err)
	default:
		err = fmt.Errorf("%w: %v", ErrNoServer, err)
	}
	return k.failure(err)
}

// refusal is the word of a server among the reasons why none took the call, or
// nil: servers that cannot be reached say less than one that can.
func refusal(err error) error {
	if e := new(ServerError); errors.As(err, &e) {
		return e
	}
	return nil
}

// nextUp returns what is closed when a server comes up, for a call that would
// wait for that.
func (c *Client) nextUp(k *call) <-chan struct{} {
	if !k.opts.wait {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

// raised tells those who wait that a server has come up.
func (c *Client) raised() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.up)
	c.up = make(chan struct{})
}

// await waits until a server comes up.
func (c *Client) await(ctx context.Context, up <-chan struct{}) bool {
	select {
	case <-up:
		return true
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return false
}
