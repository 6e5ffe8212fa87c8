package bench

import (
	"crypto/rand"
	"strconv"
	"time"

	"gearbolt/protocol"
)

// A queuer is a client connection that queues background jobs, a number of
// which are under way.
type queuer struct {
	*wire
	load     *load
	payload  []byte
	begun    []time.Time // a ring: answers come in order
	oldest   int
	open     int
	left     int // jobs to send; < 0: until the load is stopping
	ids      ids
	finished int
	latency  histogram
}

func newQueuer(w *wire, l *load, jobs int) *queuer {
	return &queuer{wire: w, load: l, payload: make([]byte, max(l.size, header)), begun: make([]time.Time, l.places),
		left: jobs, ids: newIDs(l.unique)}
}

func (q *queuer) run() error {
	for range q.load.places {
		q.queue()
	}
	if q.open == 0 {
		return nil
	}
	return q.serve(q.hear)
}

// queue sends the next job, if there is to be one.
func (q *queuer) queue() bool {
	if q.left == 0 || q.load.stopping.Load() {
		return false
	}
	q.left--
	q.begun[(q.oldest+q.open)%len(q.begun)] = time.Now()
	q.open++
	q.say(protocol.SubmitJobBG, q.load.functions[0], q.ids.next(), q.payload)
	return true
}

func (q *queuer) hear(m protocol.Message) error {
	if m.Type != protocol.JobCreated {
		return unexpected(m)
	}
	q.created()
	if q.queue(); q.open == 0 {
		return errDone
	}
	return nil
}

// created takes note of the answer to the oldest job.
func (q *queuer) created() {
	q.latency.add(time.Since(q.begun[q.oldest]))
	q.oldest = (q.oldest + 1) % len(q.begun)
	q.open--
	q.finished++
}

// An ids makes unique ids, none of which anybody else makes. The zero value
// makes none.
type ids struct {
	text  []byte // of the last one, which begins with what is this maker's own
	own   int
	count uint64
}

func newIDs(wanted bool) ids {
	if !wanted {
		return ids{}
	}
	text := append([]byte(rand.Text()[:12]), '-')
	return ids{text: text, own: len(text)}
}

// next returns the next id, which is valid until the one after it.
func (i *ids) next() []byte {
	if i.own == 0 {
		return nil
	}
	i.count++
	i.text = strconv.AppendUint(i.text[:i.own], i.count, 36)
	return i.text
}
