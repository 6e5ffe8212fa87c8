package jobs

import (
	"testing"
	"time"

	"gearbolt/protocol"
)

// words are all that a worker may say of a job.
func words(handle string) map[protocol.Type][]string {
	return map[protocol.Type][]string{
		protocol.WorkData:      {handle, "late"},
		protocol.WorkWarning:   {handle, "late"},
		protocol.WorkStatus:    {handle, "1", "2"},
		protocol.WorkComplete:  {handle, "late"},
		protocol.WorkFail:      {handle},
		protocol.WorkException: {handle, "late"},
	}
}

// A worker that hangs loses its job when its time is up: another gets it, and
// nothing that the first says then changes anything, or is answered.
func TestHungWorker(t *testing.T) {
	const lease = time.Second
	for _, background := range []bool{false, true} {
		s := newStage(t)
		c, kind := s.client(), protocol.SubmitJob
		if background {
			kind = protocol.SubmitJobBG
		}
		handle := s.submit(c, kind, "slow")
		hung := s.worker()
		hung.CanDoTimeout(function, lease)
		began := time.Now()
		s.take(hung, handle)
		other := s.worker()
		s.take(other, handle)
		if waited := time.Since(began); waited < lease {
			t.Errorf("the job was taken from its worker after %v", waited)
		}
		for word, args := range words(handle) {
			hung.Send(word, args...)
		}
		s.settled(hung.Line)
		if state, err := s.client().States(handle); err != nil || !state[0].Running {
			t.Errorf("the job that another runs is %v, %v", state, err)
		}
		other.End(handle, protocol.WorkComplete, "in time")
		s.settled(other.Line)
		if !background {
			s.hears(c, protocol.WorkComplete, handle, "in time")
		}
		if jobs := s.balance(); len(jobs) > 0 {
			t.Errorf("there are still %q", jobs)
		}
	}
}

// What a worker says of a job that it never held is answered with an ERROR, and
// changes nothing.
func TestForeignWords(t *testing.T) {
	s := newStage(t)
	c := s.client()
	handle := s.submit(c, protocol.SubmitJob, "mine")
	owner, stranger := s.worker(), s.worker()
	s.take(owner, handle)
	for word, args := range words(handle) {
		if _, err := stranger.Ask(protocol.Error, word, args...); err != nil {
			t.Error(err)
		}
	}
	owner.End(handle, protocol.WorkComplete, "done")
	s.settled(owner.Line)
	s.hears(c, protocol.WorkComplete, handle, "done")
	if jobs := s.balance(); len(jobs) > 0 {
		t.Errorf("there are still %q", jobs)
	}
}

// What a worker says behind the end of a job changes nothing and is not
// answered, not even when the client wants the job done once more.
func TestWordsBehindTheEnd(t *testing.T) {
	for _, end := range []protocol.Type{protocol.WorkComplete, protocol.WorkFail, protocol.WorkException} {
		s := newStage(t)
		c, w := s.client(), s.worker()
		c.Ask(protocol.OptionRes, protocol.OptionReq, "exceptions")
		handle := s.submit(c, protocol.SubmitJob, "once")
		s.take(w, handle)
		w.End(handle, end, "the end")
		for word, args := range words(handle) {
			w.Send(word, args...)
		}
		s.settled(w.Line)
		if end == protocol.WorkFail {
			s.hears(c, end, handle)
		} else {
			s.hears(c, end, handle, "the end")
		}
		s.settled(c.Line) // and nothing more came
		again := s.submit(c, protocol.SubmitJob, "twice")
		s.take(w, again)
		for word, args := range words(handle) {
			w.Send(word, args...)
		}
		w.End(again, protocol.WorkComplete, "done")
		s.settled(w.Line)
		s.hears(c, protocol.WorkComplete, again, "done")
		if jobs := s.balance(); len(jobs) > 0 {
			t.Errorf("there are still %q", jobs)
		}
	}
}
