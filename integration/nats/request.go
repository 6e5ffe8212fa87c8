package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const subject = "work"

// request is a round at NATS: each client has a connection of its own and makes
// one request after the other; those that answer share them as a queue group,
// which is NATS's way of having each done by one.
func request(ctx context.Context, p *peer, s *shape) (round, error) {
	var all conns
	defer all.close()
	for range s.pairs {
		if err := all.answer(p.addr); err != nil {
			return round{}, err
		}
	}
	var clients []*nats.Conn
	for range s.pairs {
		c, err := all.connect(p.addr)
		if err != nil {
			return round{}, err
		}
		clients = append(clients, c)
	}
	before, err := p.cpu()
	if err != nil {
		return round{}, err
	}
	began := time.Now()
	took, err := requests(ctx, clients, s)
	lasted := time.Since(began)
	after, err2 := p.cpu()
	if err := errors.Join(err, err2); err != nil {
		return round{}, err
	}
	slices.Sort(took)
	n := float64(len(took))
	return round{
		PerSecond: n / lasted.Seconds(),
		P50:       micros(took[len(took)/2]),
		P99:       micros(took[len(took)*99/100]),
		CPU:       micros(after-before) / n,
	}, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// Conns are the connections of a round.
type conns []*nats.Conn

func (all *conns) connect(addr string) (*nats.Conn, error) {
	c, err := nats.Connect("nats://" + addr)
	if err == nil {
		*all = append(*all, c)
	}
	return c, err
}

// answer connects one that answers each request with its payload. When it
// returns the server knows.
func (all *conns) answer(addr string) error {
	c, err := all.connect(addr)
	if err != nil {
		return err
	}
	if _, err := c.QueueSubscribe(subject, "workers", func(m *nats.Msg) { m.Respond(m.Data) }); err != nil {
		return err
	}
	return c.Flush()
}

func (all conns) close() {
	for _, c := range all {
		c.Close()
	}
}

// requests lets each client make one request after the other for a time, and
// returns how long each took.
func requests(ctx context.Context, clients []*nats.Conn, s *shape) ([]time.Duration, error) {
	took, failed := make([][]time.Duration, len(clients)), make([]error, len(clients))
	end := time.Now().Add(s.duration)
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			payload := make([]byte, s.size)
			for began := time.Now(); began.Before(end) && failed[i] == nil && ctx.Err() == nil; {
				_, failed[i] = c.Request(subject, payload, 10*time.Second)
				now := time.Now()
				took[i] = append(took[i], now.Sub(began))
				began = now
			}
		})
	}
	all.Wait()
	return slices.Concat(took...), errors.Join(append(failed, ctx.Err())...)
}
