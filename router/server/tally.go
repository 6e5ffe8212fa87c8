package server

import "sync"

// A tally counts goroutines that come and go at any time; a sync.WaitGroup
// must not be added to while somebody waits for it.
type tally struct {
	mu      sync.Mutex
	n       int
	waiting []chan struct{}
}

// began counts a goroutine that exists, until it calls ended.
func (t *tally) began() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

// run runs f in a goroutine of its own.
func (t *tally) run(f func()) {
	t.began()
	go func() {
		defer t.ended()
		f()
	}()
}

func (t *tally) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 {
		for _, c := range t.waiting {
			close(c)
		}
		t.waiting = nil
	}
}

// none returns a channel that is closed when none runs.
func (t *tally) none() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := make(chan struct{})
	if t.n == 0 {
		close(c)
	} else {
		t.waiting = append(t.waiting, c)
	}
	return c
}
