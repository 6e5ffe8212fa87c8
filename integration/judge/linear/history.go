package linear

import (
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"gearbolt/integration/judge"
)

// A history is what happened to one job.
type history []porcupine.Operation

// A reader turns a log into histories.
type reader struct {
	log       []judge.Event
	wanted    func(handle string) bool
	died      map[int]time.Duration // lives
	inPeace   map[int]bool
	handles   map[string]string // by token, of the payloads that were seen
	answered  map[question]bool
	histories map[string]history
	heard     map[int][]time.Duration // by connection, in order
	grabs     map[int][]time.Duration // by life: when grabs were sent that have no answer
	had       map[int]map[string]bool // by connection: the jobs that it was given, and has not ended
	turn      int
}

// A question is what has one answer: a submission, by its token, or a cancel,
// by its time.
type question struct {
	token string
	conn  int
	at    time.Duration
}

// read returns the histories of the wanted jobs by handle.
func read(log []judge.Event, wanted func(handle string) bool) map[string]history {
	r := &reader{
		log: log, wanted: wanted,
		died: make(map[int]time.Duration), inPeace: make(map[int]bool), handles: make(map[string]string), answered: make(map[question]bool), histories: make(map[string]history),
		heard: make(map[int][]time.Duration), grabs: make(map[int][]time.Duration), had: make(map[int]map[string]bool),
	}
	r.survey()
	for _, e := range log {
		r.event(e)
	}
	for handle := range r.histories {
		r.addCrashes(handle)
	}
	return r.histories
}

// survey notes what is to be known before its time comes.
func (r *reader) survey() {
	for _, e := range r.log {
		switch e.Kind {
		case judge.Died:
			r.died[e.Life], r.inPeace[e.Life] = e.At, e.Known
		case judge.Created:
			r.answered[question{token: e.Token, conn: e.Conn}] = true
		case judge.Cancelled:
			r.answered[question{conn: e.Conn, at: e.Called}] = true
		case judge.Assigned:
			r.handles[e.Token] = e.Handle
		case judge.Heard:
			r.heard[e.Conn] = append(r.heard[e.Conn], e.At)
		case judge.Closed:
			if e.Called > 0 {
				r.grabs[e.Life] = append(r.grabs[e.Life], e.Called)
			}
		}
	}
}

// end is when a life ended: the last moment at which anything in it can have
// happened. Half a tick later is the crash.
func (r *reader) end(life int) int64 {
	if at, dead := r.died[life]; dead {
		return 2 * int64(at)
	}
	return 2*int64(r.log[len(r.log)-1].At) + 2
}

// add adds a call that was made at some time and answered at another; 0: it was
// not. What was said to a dead server never happened.
func (r *reader) add(e judge.Event, called, answered time.Duration, c call) {
	end := r.end(e.Life)
	op := porcupine.Operation{ClientId: e.Conn, Input: c, Call: 2 * int64(called), Return: min(2*int64(answered), end)}
	if answered == 0 {
		op.Return = end
	}
	if op.Call < end && r.wanted(e.Handle) {
		r.histories[e.Handle] = append(r.histories[e.Handle], op)
	}
}

// event turns a line of the log into a call.
func (r *reader) event(e judge.Event) {
	switch e.Kind {
	case judge.Submitting:
		r.submitting(e)
	case judge.Created:
		r.add(e, e.Called, e.At, call{verb: submit})
	case judge.Assigned:
		r.assigned(e)
	case judge.Ending:
		r.ending(e)
	case judge.Confirmed:
		r.add(e, e.Called, e.At, call{verb: confirm, conn: e.Conn})
	case judge.Closed:
		for e.Handle = range r.had[e.Conn] {
			r.add(e, e.At, 0, call{verb: disconnect, conn: e.Conn, unknown: true})
		}
	case judge.Seen:
		r.add(e, e.Called, e.At, call{verb: look, known: e.Known, busy: e.Busy, mayRun: r.mayRun(e)})
	case judge.Cancelling:
		r.cancelling(e)
	case judge.Cancelled:
		r.add(e, e.Called, e.At, call{verb: cancel, known: e.Known})
	}
}

// submitting is a submission; one that is answered counts by its answer.
func (r *reader) submitting(e judge.Event) {
	e.Handle = r.handles[e.Token]
	if e.Handle != "" && !r.answered[question{token: e.Token, conn: e.Conn}] {
		r.add(e, e.At, 0, call{verb: submit, unknown: true})
	}
}

// assigned is an assignment, and the end of its lease, which comes when the
// server gets to it.
func (r *reader) assigned(e judge.Event) {
	r.turn++
	if r.had[e.Conn] == nil {
		r.had[e.Conn] = make(map[string]bool)
	}
	r.had[e.Conn][e.Handle] = true
	r.add(e, e.Called, e.At, call{verb: grab, conn: e.Conn, turn: r.turn})
	if e.Lease > 0 {
		r.add(e, e.Called+e.Lease, 0, call{verb: expire, turn: r.turn, unknown: true})
	}
}

// ending is a word whose answer is that of the next grab on the connection.
func (r *reader) ending(e judge.Event) {
	all := r.heard[e.Conn]
	i, _ := slices.BinarySearch(all, e.At+1)
	if i == len(all) {
		r.add(e, e.At, 0, call{verb: end, conn: e.Conn, unknown: true})
		return
	}
	r.add(e, e.At, all[i], call{verb: end, conn: e.Conn})
	delete(r.had[e.Conn], e.Handle)
}

func (r *reader) cancelling(e judge.Event) {
	if !r.answered[question{conn: e.Conn, at: e.At}] {
		r.add(e, e.At, 0, call{verb: cancel, unknown: true})
	}
}

// mayRun reports whether the job may have been assigned to a worker that never
// heard of it.
func (r *reader) mayRun(e judge.Event) bool {
	for _, at := range r.grabs[e.Life] {
		if at < e.At {
			return true
		}
	}
	return false
}

// addCrashes adds the deaths of the server between the first and the last call
// to a job.
func (r *reader) addCrashes(handle string) {
	h := r.histories[handle]
	first, last := h[0].Call, h[0].Return
	for _, op := range h {
		first, last = min(first, op.Call), max(last, op.Return)
	}
	for life, at := range r.died {
		if t := 2*int64(at) + 1; t > first && t < last {
			h = append(h, porcupine.Operation{Input: call{verb: crash, inPeace: r.inPeace[life]}, Call: t, Return: t})
		}
	}
	r.histories[handle] = h
}
