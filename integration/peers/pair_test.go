package peers

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// held is how much longer the slowest of a hundred calls may take beside bad
// peers than without. It is no measure of speed, which a busy machine has none
// of: whoever is held up by a peer that does not read, or says nothing, waits
// until that one is cut off, and that is many seconds.
const held = 2 * time.Second

// good is the function of those who behave.
const good = "reverse"

// A pair is a client and a worker that behave, and how long it took them to be
// answered.
type pair struct {
	client, worker *judge.Line
	ended          chan error // the worker's
	calls, echoes  []time.Duration
}

func (s *stage) pair() *pair {
	s.Helper()
	p := &pair{client: s.line(), worker: s.line(), ended: make(chan error, 1)}
	go func() { p.ended <- p.work() }()
	return p
}

func (p *pair) end() {
	p.client.Close()
	p.worker.Close()
	<-p.ended
}

// work does jobs until the connection ends.
func (p *pair) work() error {
	p.worker.Send(protocol.CanDo, good)
	for p.worker.Send(protocol.GrabJob); ; {
		packet, err := p.worker.Receive()
		if err != nil {
			return err
		}
		switch packet.Type {
		case protocol.NoJob:
			p.worker.Send(protocol.PreSleep)
		case protocol.Noop:
			p.worker.Send(protocol.GrabJob)
		case protocol.JobAssign:
			p.worker.Send(protocol.WorkComplete, packet.Args[0], reversed(packet.Args[2]))
			p.worker.Send(protocol.GrabJob)
		default:
			return fmt.Errorf("the worker was told %s", packet)
		}
	}
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// call has one job done and one ECHO said, and checks the answers.
func (p *pair) call() error {
	p.client.Conn.SetDeadline(time.Now().Add(judge.Patience))
	payload, began := fmt.Sprintf("payload %d", len(p.calls)), time.Now()
	p.client.Send(protocol.SubmitJob, good, "", payload)
	created, err := p.client.Receive()
	if err != nil || created.Type != protocol.JobCreated {
		return fmt.Errorf("a job was answered with %v, %w", created, err)
	}
	done, err := p.client.Receive()
	want := []string{created.Args[0], reversed(payload)}
	if err != nil || done.Type != protocol.WorkComplete || !slices.Equal(done.Args, want) {
		return fmt.Errorf("a call was answered with %v, %w; want %q", done, err, want)
	}
	p.calls, began = append(p.calls, time.Since(began)), time.Now()
	p.client.Send(protocol.EchoReq, payload)
	echo, err := p.client.Receive()
	if err != nil || echo.Type != protocol.EchoRes || echo.Args[0] != payload {
		return fmt.Errorf("an ECHO was answered with %v, %w", echo, err)
	}
	p.echoes = append(p.echoes, time.Since(began))
	return nil
}

// keepOn has calls made until over is closed, with a pause behind each: the
// machine is not theirs alone.
func (p *pair) keepOn(over <-chan struct{}) error {
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for {
		if err := p.call(); err != nil {
			return err
		}
		select {
		case <-over:
			return nil
		case <-pause.C:
		}
	}
}

// while returns how a pair fares while f goes on.
func (s *stage) while(f func()) *pair {
	s.Helper()
	p, over := s.pair(), make(chan struct{})
	defer p.end()
	var peers sync.WaitGroup
	peers.Go(func() {
		if err := p.keepOn(over); err != nil {
			s.Error(err)
		}
	})
	f()
	close(over)
	peers.Wait()
	return p
}

// beside has a pair at work for a moment, and then while the bad peers go on,
// and compares.
func (s *stage) beside(bad func()) {
	s.Helper()
	alone := s.while(func() { time.Sleep(500 * time.Millisecond) }) // is how long it looks
	began := time.Now()
	with := s.while(bad)
	s.Logf("alone                 %s", alone)
	s.Logf("beside, for %8v  %s", time.Since(began).Round(time.Millisecond), with)
	compare(s.T, "calls", alone.calls, with.calls)
	compare(s.T, "ECHOs", alone.echoes, with.echoes)
}

func compare(t *testing.T, what string, alone, with []time.Duration) {
	t.Helper()
	if a, w := at(alone, 990), at(with, 990); w > a+held {
		t.Errorf("beside bad peers the slowest of a hundred %s takes %v, without them %v", what, w, a)
	}
}

func (p *pair) String() string {
	return strings.Join([]string{figures("calls", p.calls), figures("ECHOs", p.echoes)}, ";  ")
}

func figures(what string, all []time.Duration) string {
	return fmt.Sprintf("%5d %s, p50 %7v, p99 %7v, at most %7v", len(all), what, at(all, 500), at(all, 990), at(all, 1000))
}

// at returns what so many of a thousand do not exceed.
func at(all []time.Duration, perMille int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(all))[(len(all)-1)*perMille/1000].Round(10 * time.Microsecond)
}
