package clients

import (
	"context"
	"sync"
	"time"

	"gearbolt/protocol"
)

// Echo sends payload to the first server that can be reached and returns what
// comes back, which is the same.
func (c *Client) Echo(ctx context.Context, payload []byte) ([]byte, error) {
	k := c.newCall("echo", "", payload)
	defer c.release(k)
	k.packet = protocol.EchoReq
	if err := c.do(ctx, k); err != nil {
		return nil, err
	}
	return k.data, nil
}

// Health is how one server does.
type Health struct {
	Server string
	Err    error         // nil: it answers
	Trip   time.Duration // how long ECHO_REQ took there and back; dialing does not count
}

// Health asks every server for a sign of life, all at once, and returns their
// answers in the order of [Config.Servers].
func (c *Client) Health(ctx context.Context) []Health {
	all := make([]Health, len(c.servers))
	var wg sync.WaitGroup
	for i, s := range c.servers {
		wg.Go(func() { all[i] = c.healthOf(ctx, s) })
	}
	wg.Wait()
	return all
}

func (c *Client) healthOf(ctx context.Context, s *server) Health {
	h := Health{Server: s.addr.host}
	k := c.newCall("echo", "", nil)
	defer c.release(k)
	k.packet, k.server = protocol.EchoReq, h.Server
	if _, err := s.session(ctx); err != nil {
		h.Err = c.verdict(ctx, k, unsent{err: err})
		return h
	}
	begun := time.Now()
	h.Err = c.ask(ctx, s, k)
	h.Trip = time.Since(begun)
	return h
}
