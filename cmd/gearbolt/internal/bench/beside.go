package bench

import (
	"context"
	"sync/atomic"
	"time"

	"gearbolt/protocol"
)

// Figures of beside: of calls beside background submission, and of the same
// calls beside as many ECHO_REQ with as many bytes.
const (
	p99Queueing  = "p99 µs beside background"
	p99Echo      = "p99 µs beside ECHO"
	rateQueueing = "background/s"
	rateEcho     = "ECHO/s"
)

// beside makes calls while other connections send packets at a steady rate: for
// half of the time ECHO_REQ, and then background jobs, which need the disk. The
// sample is about the calls of the second half.
func (s *stand) beside(ctx context.Context, d time.Duration) (*sample, error) {
	payload := make([]byte, max(s.cfg.Size, header))
	echo, echoes, err := s.callsBeside(ctx, d/2, func(*ids) []byte {
		return protocol.Append(nil, protocol.Req, protocol.EchoReq, payload)
	})
	if err != nil {
		return nil, err
	}
	name := []byte(s.prefix + "-beside")
	out, jobs, err := s.callsBeside(ctx, d/2, func(i *ids) []byte {
		return protocol.Append(nil, protocol.Req, protocol.SubmitJobBG, name, i.next(), payload)
	})
	if err != nil {
		return nil, err
	}
	out.show(p99Echo, micros(echo.latency.quantile(0.99)))
	out.show(p99Queueing, micros(out.latency.quantile(0.99)))
	out.show(rateEcho, float64(echoes)/echo.took.Seconds())
	out.show(rateQueueing, float64(jobs)/out.took.Seconds())
	return out, s.clean(ctx)
}

// callsBeside makes calls while as many other connections send packets. It
// returns how many of those were answered, too.
func (s *stand) callsBeside(ctx context.Context, d time.Duration, packet func(*ids) []byte) (*sample, int64, error) {
	t := newTeam(ctx)
	defer t.end()
	pacers := make([]*pacer, s.cfg.Clients)
	for i := range pacers {
		w, err := s.dial(t.ctx)
		if err != nil {
			return nil, 0, err
		}
		pacers[i] = &pacer{wire: w, packet: packet, ids: newIDs(s.cfg.Unique), rate: float64(s.cfg.Rate) / float64(s.cfg.Clients)}
		t.begin(&t.workers, pacers[i].read)
		t.begin(&t.workers, func() error { return pacers[i].write(t.ctx) })
	}
	out, err := s.calls(t.ctx, d, []string{s.prefix}, s.newLoad(s.prefix))
	var answered int64
	for _, p := range pacers {
		answered += p.answered.Load()
	}
	return out, answered, err
}

// A pacer is a connection that sends packets at a steady rate, each of which is
// answered by one.
type pacer struct {
	*wire
	packet         func(*ids) []byte // makes the next one
	ids            ids
	rate           float64 // packets a second
	sent, answered atomic.Int64
}

// pace is how often a pacer sends what is due; backlog is how many packets may
// be unanswered: what is due beyond is left out, or a server that cannot keep
// up would be measured by the length of its queue.
const (
	pace    = time.Millisecond
	backlog = 1024
)

// write sends packets until the context ends.
func (p *pacer) write(ctx context.Context) error {
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	begun, due := time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		now := time.Now()
		due += now.Sub(begun).Seconds() * p.rate
		begun = now
		var burst []byte
		for ; due >= 1; due-- {
			if p.sent.Load()-p.answered.Load() < backlog {
				burst = append(burst, p.packet(&p.ids)...)
				p.sent.Add(1)
			}
		}
		if len(burst) == 0 {
			continue
		}
		if _, err := p.nc.Write(burst); err != nil {
			return err
		}
	}
}

// read counts the answers until the context ends, which closes the connection.
func (p *pacer) read() error {
	return p.serve(func(m protocol.Message) error {
		if m.Type != protocol.EchoRes && m.Type != protocol.JobCreated {
			return unexpected(m)
		}
		p.answered.Add(1)
		return nil
	})
}
