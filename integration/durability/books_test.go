package durability

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A job is what its submitter asked for, and what was heard of it since.
type job struct {
	token    string // its payload begins with it
	kind     protocol.Type
	unique   string
	reducer  string
	payload  string
	due      time.Time
	priority persist.Priority

	handle string // "": nobody was told one
	acked  bool   // JOB_CREATED was read
	ended  int    // the life of the server in which a worker has said that the job is done; 0: none has
	done   bool   // and that is on stable storage
}

// Books are kept by all peers.
type books struct {
	mu       sync.Mutex
	life     int // the server's; counts its starts
	jobs     map[string]*job
	handles  map[string]*job
	finished []*job // in the order in which that was confirmed
	faults   []string
	again    int // how often a job was assigned again after its end was said, as it may
}

func newBooks() *books {
	return &books{jobs: make(map[string]*job), handles: make(map[string]*job)}
}

// fault notes what does not balance. The caller holds mu.
func (b *books) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf("life %d: ", b.life)+fmt.Sprintf(format, args...))
}

// submitting notes a job before it is sent.
func (b *books) submitting(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs[j.token] = j
}

// created notes a JOB_CREATED.
func (b *books) created(j *job, handle string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j.acked = true
	b.name(j, handle)
}

// name notes what the server calls a job.
func (b *books) name(j *job, handle string) {
	switch other := b.handles[handle]; {
	case other == j:
	case other != nil:
		b.fault("%s was given to %s and to %s", handle, other.token, j.token)
	case j.handle != "":
		b.fault("%s is called %s and %s", j.token, j.handle, handle)
	default:
		j.handle = handle
		b.handles[handle] = j
	}
}

// assigned notes that a worker was given a job, and returns it, or nil if
// nobody has submitted it.
func (b *books) assigned(r reply) *job {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	payload := r.args[len(r.args)-1]
	token, _, _ := strings.Cut(payload, "|")
	j := b.jobs[token]
	if j == nil {
		b.fault("a job came that nobody submitted: %q", r.args)
		return nil
	}
	b.name(j, r.args[0])
	want := []string{j.handle, function, j.unique, j.payload}
	if j.reducer != "" {
		want = []string{j.handle, function, j.unique, j.reducer, j.payload}
	}
	switch {
	case strings.Join(r.args, "\x00") != strings.Join(want, "\x00"):
		b.fault("%s came as %.200q, and was submitted as %.200q", j.token, r.args, want)
	case now.Before(j.due):
		b.fault("%s came %v before its time", j.token, j.due.Sub(now))
	case j.done:
		b.fault("%s (%s) came again although its end was confirmed", j.token, j.handle)
	case j.ended == b.life:
		b.fault("%s (%s) came again although its worker has ended it", j.token, j.handle)
	case j.ended > 0:
		b.again++
	}
	return j
}

// ending notes that a worker is about to say that a job is done.
func (b *books) ending(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j.ended = b.life
}

// confirmed notes that the ends of jobs are on stable storage.
func (b *books) confirmed(jobs ...*job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range jobs {
		j.done = true
	}
	b.finished = append(b.finished, jobs...)
}

// restarted begins a new life of the server.
func (b *books) restarted() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.life++
}

// open returns the jobs that were acknowledged and are not known to be done,
// and some that are.
func (b *books) open(recent int) (open, finished []*job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range b.jobs {
		if j.handle != "" && !j.done {
			open = append(open, j)
		}
	}
	return open, append([]*job(nil), b.finished[max(0, len(b.finished)-recent):]...)
}

// audit holds the books against what the server knows after a restart.
func (b *books) audit(l *line) error {
	open, finished := b.open(5000)
	states, err := l.states(handles(append(open, finished...)))
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, j := range open {
		switch known := states[i].known; {
		case !known && j.ended == 0 && j.acked:
			b.fault("lost: %s (%s) was acknowledged, and nobody has ended it", j.token, j.handle)
			j.done = true // it is said once
		case !known:
			j.done = true
			b.finished = append(b.finished, j)
		}
	}
	for i, j := range finished {
		if states[len(open)+i].known {
			b.fault("%s (%s) is back although its end was confirmed", j.token, j.handle)
		}
	}
	return nil
}

func handles(jobs []*job) (h []string) {
	for _, j := range jobs {
		h = append(h, j.handle)
	}
	return h
}

// count counts the jobs for which f holds.
func (b *books) count(f func(*job) bool) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range b.jobs {
		if f(j) {
			n++
		}
	}
	return n
}
