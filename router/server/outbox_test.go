package server

import (
	"syscall"
	"testing"
	"time"

	"gearbolt/router"
)

// A talkative is a socket that takes all, and for which there is more to say
// whenever something has been written; but at some point it waits.
type talkative struct {
	syscall.RawConn
	c      *conn
	writes int
	late   bool // the first who wrote has never stopped
	goOn   chan struct{}
}

func (k *talkative) Write(func(uintptr) bool) error {
	k.c.written = len(k.c.writing)
	if k.writes++; k.writes < 200 {
		k.c.out.add(router.Send{Body: []byte("more")}, mib)
		k.c.out.flush(k.c)
	}
	if k.writes == 100 {
		select {
		case <-k.goOn:
		case <-time.After(time.Hour):
			k.late = true
		}
	}
	return nil
}

// Who writes to a peer to whom others always have more to say does not do so for
// ever: it may be the store's goroutine, or that which reads another connection.
func TestOneWritesForOthersOnlySoLong(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		k := &talkative{goOn: make(chan struct{})}
		k.c = newConn(s.server, &memConn{local: s.listener.addr, remote: s.listener.addr}, nil)
		k.c.raw = k
		k.c.out.add(router.Send{Body: []byte("first")}, mib)
		k.c.out.flush(k.c)
		close(k.goOn)
		s.passes(0)
		if k.late || k.writes != 200 {
			t.Errorf("%d writes, want 200; one goroutine did all: %v", k.writes, k.late)
		}
	})
}
