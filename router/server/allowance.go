package server

import "sync"

// An allowance is memory that all connections share. Who wants more than is
// left waits until others give some back.
type allowance struct {
	mu    sync.Mutex
	limit int64 // 0: no bound
	used  int64
	freed chan struct{} // closed when something is given back; nil: nobody waits
}

// take takes n bytes, or returns what to wait for before trying again. Who asks
// for more than there is gets it when nobody else has any.
func (a *allowance) take(n int64) (wait <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit <= 0 || a.used == 0 || a.used+n <= a.limit {
		a.used += n
		return nil
	}
	if a.freed == nil {
		a.freed = make(chan struct{})
	}
	return a.freed
}

// give gives n bytes back.
func (a *allowance) give(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= n
	a.wake()
}

func (a *allowance) setLimit(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limit = n
	a.wake()
}

// wake has those who wait try again. a.mu is held.
func (a *allowance) wake() {
	if a.freed != nil {
		close(a.freed)
		a.freed = nil
	}
}
