package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gearbolt/protocol"
)

// A Worker takes jobs and ends them, and writes down what it is told. It is
// used by one goroutine at a time.
type Worker struct {
	*peer
	Lease time.Duration // of CAN_DO_TIMEOUT, for all its functions; 0: none

	said     []string // handles whose end was said, in order
	pending  []string // those of them that the next JOB_CREATED confirms
	confirms submitted
}

// An Assignment is a job in a worker's hands.
type Assignment struct {
	Handle string
	Token  string
	Packet Packet
}

// Worker connects a worker for functions to a TCP address.
func (b *Book) Worker(addr string, functions ...string) (*Worker, error) {
	l, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	return b.WorkerOn(l, functions...), nil
}

// WorkerOn makes a worker of a connection. What it can do is written with its
// first grab.
func (b *Book) WorkerOn(l *Line, functions ...string) *Worker {
	w := &Worker{peer: b.peer(l)}
	for _, f := range functions {
		w.Send(protocol.CanDo, f)
	}
	return w
}

// CanDoTimeout registers a function with a time limit for each of its jobs, to
// the millisecond.
func (w *Worker) CanDoTimeout(function string, lease time.Duration) {
	w.Lease = lease
	w.Send(protocol.CanDoTimeout, function, fmt.Sprint(lease.Milliseconds()))
}

// Grab asks for a job and returns it, or nil if there is none.
func (w *Worker) Grab() (*Assignment, error) { return w.GrabBy(protocol.GrabJobAll) }

// GrabBy is Grab with GRAB_JOB, GRAB_JOB_UNIQ or GRAB_JOB_ALL.
func (w *Worker) GrabBy(how protocol.Type) (*Assignment, error) {
	w.Send(how)
	w.grabbed = w.book.Now()
	for {
		p, err := w.receive()
		if err != nil {
			return nil, err
		}
		switch p.Type {
		case protocol.NoJob:
			w.answered()
			return nil, nil
		case protocol.JobAssign, protocol.JobAssignUniq, protocol.JobAssignAll:
			return w.assigned(p), nil
		case protocol.JobCreated:
			w.confirmed(p.Args[0])
		case protocol.Noop:
		default:
			return nil, fmt.Errorf("a grab was answered with %s", p)
		}
	}
}

// answered notes that all that was said before the grab was read.
func (w *Worker) answered() {
	w.grabbed = 0
	w.book.Record(Event{Kind: Heard, Conn: w.Number})
}

func (w *Worker) assigned(p Packet) *Assignment {
	payload := p.Args[len(p.Args)-1]
	a := &Assignment{Handle: p.Args[0], Token: TokenOf(payload), Packet: p}
	e := Event{Kind: Assigned, Conn: w.Number, Called: w.grabbed, Token: a.Token, Handle: a.Handle, Lease: w.Lease}
	if j := w.book.Job(a.Token); j == nil {
		e.Note = payload
	} else if want := j.assigned(p.Type, a.Handle); !slices.Equal(p.Args, want) {
		e.Note = fmt.Sprintf("%.300q, not %.300q", p.Args, want)
	}
	w.answered()
	w.book.Record(e)
	return a
}

// Sleep says PRE_SLEEP and waits until there may be work.
func (w *Worker) Sleep() error {
	w.Send(protocol.PreSleep)
	for {
		p, err := w.receive()
		switch {
		case err != nil:
			return err
		case p.Type == protocol.Noop:
			return nil
		case p.Type != protocol.JobCreated:
			return fmt.Errorf("PRE_SLEEP was answered with %s", p)
		}
		w.confirmed(p.Args[0])
	}
}

// Next returns a job, however long it takes to come.
func (w *Worker) Next() (*Assignment, error) {
	for {
		a, err := w.Grab()
		if a != nil || err != nil {
			return a, err
		}
		if err := w.Sleep(); err != nil {
			return nil, err
		}
	}
}

// End says that a job is over, by WORK_COMPLETE, WORK_FAIL or WORK_EXCEPTION.
// It is written with the next Flush or grab.
func (w *Worker) End(handle string, how protocol.Type, data string) {
	w.book.Record(Event{Kind: Ending, Conn: w.Number, Handle: handle, Note: how.String()})
	w.said = append(w.said, handle)
	if how == protocol.WorkFail {
		w.Send(how, handle)
		return
	}
	w.Send(how, handle, data)
}

// Unconfirmed is how many ends were said that no Confirm stands behind.
func (w *Worker) Unconfirmed() int { return len(w.said) }

// Confirm submits a background job behind all that was said: when a later grab
// comes upon its JOB_CREATED, the ends are on stable storage. The job has no
// unique id, so that it joins none that is stored already. It reports false,
// and does nothing, while another waits.
func (w *Worker) Confirm(j *Job) bool {
	if w.confirms.job != nil || j.Unique != "" && !strings.Contains(j.Unique, j.Token) {
		return false
	}
	w.confirms = submitted{j, w.book.Now()}
	w.pending, w.said = w.said, nil
	w.book.Record(Event{Kind: Submitting, Token: j.Token, Conn: w.Number, Job: j})
	w.Send(j.Type, j.args()...)
	return true
}

func (w *Worker) confirmed(handle string) {
	w.book.Record(Event{Kind: Created, Token: w.confirms.job.Token, Handle: handle, Conn: w.Number, Called: w.confirms.at})
	for _, h := range w.pending {
		w.book.Record(Event{Kind: Confirmed, Conn: w.Number, Handle: h, Called: w.confirms.at})
	}
	w.confirms, w.pending = submitted{}, nil
}

// Drain completes jobs until there are none.
func (w *Worker) Drain() error {
	for {
		a, err := w.Grab()
		if a == nil || err != nil {
			return err
		}
		w.End(a.Handle, protocol.WorkComplete, "")
	}
}
