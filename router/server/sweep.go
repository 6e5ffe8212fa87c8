package server

import (
	"time"

	"go.uber.org/zap"

	"gearbolt/router"
)

// sweepEvery is how often the server looks for what no event tells it: messages
// that do not go on arriving, and what the log has not said.
const sweepEvery = 5 * time.Second

// sweep looks until the server ends.
func (s *Server) sweep() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	var said router.Counters
	for {
		select {
		case <-s.quit:
			return
		case <-t.C:
			s.cutHalves(s.sweeps.Add(1))
			said = s.tellRefusals(said)
		}
	}
}

// cutHalves ends the connections whose messages take too long to arrive. To look
// at fifty thousand of them takes tens of milliseconds, for which the machine's
// lock is not held.
func (s *Server) cutHalves(sweep int64) {
	s.mu.Lock()
	timeout := s.opts.ReadTimeout
	s.mu.Unlock()
	if timeout <= 0 {
		return
	}
	for _, c := range s.allConns() {
		switch v, bytes := c.half.judge(sweep, timeout); v {
		case hopeless:
			c.close()
		case late:
			c.cutLate(bytes)
		}
	}
}

// told are the counters whose events have no line in the log of their own:
// there may be thousands in a second, and one line for all is better.
var told = []router.Counter{
	router.JobsOverMaxqueue, router.JobsOverMaxqueuebytes, router.JobsOverMaxJobs, router.JobsOverMaxJobsPerFunction,
	router.JobsOverMaxQueueBytes, router.JobsOverMaxQueueBytesPerFunction, router.JobsOverQueueMemory,
	router.ClientsOverMaxClientsPerJob, router.ClientsOverQueueMemory, router.FunctionsOverMaxFunctions,
	router.FunctionsOverMaxFunctionsPerConnection, router.FunctionsOverQueueMemory, router.GrabsOverLimit,
	router.RepliesOverOutboxLimit, router.RepliesOverOutboxMemory, router.LogLinesDropped,
}

// tellRefusals says what limits have refused since it was last said, and
// returns the counters as they are now.
func (s *Server) tellRefusals(said router.Counters) router.Counters {
	s.mu.Lock()
	s.machine.Count(router.LogLinesDropped, s.opts.LogLinesDropped()-said[router.LogLinesDropped])
	now := s.machine.Counters()
	s.mu.Unlock()
	var fields []zap.Field
	for _, c := range told {
		if n := now[c] - said[c]; n > 0 {
			fields = append(fields, zap.Uint64(c.String(), n))
		}
	}
	if len(fields) > 0 {
		s.log.Warn("refused, in the last seconds", fields...)
	}
	return now
}

// Counters returns how often each limit has refused something, and what else
// is counted.
func (s *Server) Counters() router.Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.machine.Counters()
}

// count counts something that happens outside the machine.
func (s *Server) count(c router.Counter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machine.Count(c, 1)
}
