package clients

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// open opens a connection, TLS included.
func (c *Config) open(ctx context.Context, a address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.DialTimeout)
	defer cancel()
	nc, err := c.Dial(ctx, a.network, a.host)
	if err != nil || !a.tls {
		return nc, err
	}
	config := c.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = a.serverName()
	}
	secure := tls.Client(nc, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("the TLS handshake failed: %w", err)
	}
	return secure, nil
}

// A holder is what is done with the connections to a server.
type holder interface {
	// serve uses a connection until it is lost or ctx ends, and closes it. It
	// reports whether the server had said a word of Gearman.
	serve(ctx context.Context, nc net.Conn) (greeted bool, err error)
	// failed is told that no connection came about; lost, that one has ended.
	failed(err error)
	lost(err error)
}

// hold keeps a connection to a server until ctx ends: a lost one is replaced,
// after a pause that grows while the server does not answer, or answers and then
// ends the connections sooner than they are replaced.
func (c *Config) hold(ctx context.Context, a address, h holder) {
	pause := backoff{min: c.MinBackoff, max: c.MaxBackoff}
	for ctx.Err() == nil {
		greeted, begun := false, time.Now()
		nc, err := c.open(ctx, a)
		if err == nil {
			greeted, err = h.serve(ctx, nc)
		}
		switch {
		case ctx.Err() != nil:
			return
		case greeted:
			if time.Since(begun) > pause.next {
				pause.next = 0
			}
			h.lost(err)
		default:
			h.failed(err)
		}
		sleep(ctx, pause.take())
	}
}

// reason is why there is no connection, for telling one reason from another: it
// lacks the ports of our side, which are new each time.
func reason(err error) string {
	if op := new(net.OpError); errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// A backoff is a pause that doubles, with jitter: many clients of one server
// that restarts do not come back at the same moment.
type backoff struct{ min, max, next time.Duration }

// take returns between half and all of the next pause.
func (b *backoff) take() time.Duration {
	d := max(b.next, b.min)
	b.next = min(2*d, b.max)
	return d/2 + rand.N(d/2+1)
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
