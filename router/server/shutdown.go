package server

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"gearbolt/router"
)

// Drain begins gearmand's graceful shutdown (SIGUSR1, "shutdown graceful"):
// the listeners close, connections go on and may still submit, and the server
// wants to end when there is no job at all.
func (s *Server) Drain() {
	s.log.Info("draining: no new connections; ends when no job is left")
	s.visit(func(*router.Machine, time.Time) {
		s.draining = true
		s.closeListeners()
	})
}

// storeTime bounds how long, after the time of running jobs is up, the store
// may take to keep what workers and clients have said until then.
const storeTime = 5 * time.Second

// Shutdown ends the server: it stops accepting, assigns no more jobs, lets
// those that run finish until ctx ends, has the store keep what was said until
// then, and closes. What was not finished is in the store.
func (s *Server) Shutdown(ctx context.Context) error {
	quiet, running := make(chan struct{}), 0
	s.visit(func(m *router.Machine, _ time.Time) {
		m.Quiesce()
		s.closeListeners()
		s.quiet = quiet
		running = m.Running()
	})
	s.log.Info("shutting down", zap.Int("running jobs", running))
	select {
	case <-quiet:
	case <-s.quit:
	case <-ctx.Done():
		s.cutOff(quiet)
	}
	s.awaitPeers(ctx)
	s.Close()
	return s.Err()
}

// cutOff takes nothing more from anybody and waits for the store.
func (s *Server) cutOff(quiet <-chan struct{}) {
	running := 0
	s.visit(func(m *router.Machine, _ time.Time) {
		s.deaf = true
		running = m.Running()
	})
	if running > 0 {
		s.log.Warn("jobs still run; those in the background will run again after the next start", zap.Int("jobs", running))
	}
	select {
	case <-quiet:
	case <-s.quit:
	case <-time.After(storeTime):
		s.log.Warn("the store is too slow to wait for: some jobs that are done may run again")
	}
}

// awaitPeers lets peers read what was said to them, until ctx ends.
func (s *Server) awaitPeers(ctx context.Context) {
	for _, c := range s.allConns() {
		select {
		case <-c.out.finished():
		case <-ctx.Done():
			return
		case <-s.quit:
			return
		}
	}
}

func (s *Server) allConns() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.AppendSeq(make([]*conn, 0, len(s.conns)), maps.Keys(s.conns))
}

// Close ends the server at once: as after a crash, what is in the store is all
// that remains. It waits for the server's goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.closeListeners()
	s.timer.Stop()
	s.regroup.timer.Stop()
	s.mu.Unlock()
	s.quitOnce.Do(func() { close(s.quit) })
	for _, c := range s.allConns() {
		c.out.flushLast(c)
		c.close()
	}
	s.want()
	s.tasks.Wait()
	<-s.writers.none()
	<-s.readers.none()
}

// closeListeners is called with s.mu held; closing a listener does not block.
func (s *Server) closeListeners() {
	for l := range s.listeners {
		l.Close()
		delete(s.listeners, l)
	}
}

// checkEnd looks whether the end that somebody asked for has come. s.mu is
// held.
func (s *Server) checkEnd(t *turn) {
	switch s.machine.Shutdown() {
	case router.ShutdownNow:
		s.want()
	case router.ShutdownGraceful:
		s.draining = true
		s.closeListeners()
	}
	if s.draining && s.machine.Jobs() == 0 {
		s.want()
	}
	if s.quiet != nil && (s.deaf || s.machine.Running() == 0) && t.commit == nil && s.machine.Stored() {
		close(s.quiet)
		s.quiet = nil
	}
}
