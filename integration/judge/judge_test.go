package judge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A tale is written down by a few words for the usual things. Time goes by one
// second with each.
type tale struct {
	*Book
	at time.Duration
}

func newTale() *tale {
	t := &tale{Book: New()}
	t.add(Event{Kind: Started})
	return t
}

func (t *tale) add(e Event) {
	t.at += time.Second
	if e.At = t.at; e.Called == 0 {
		e.Called = t.at - time.Second/2
	}
	t.Record(e)
}

func (t *tale) submit(token string) {
	t.add(Event{Kind: Submitting, Token: token, Job: job(token)})
}

func (t *tale) ack(token, handle string) {
	t.submit(token)
	t.add(Event{Kind: Created, Token: token, Handle: handle})
}

func (t *tale) assign(conn int, token, handle string) {
	t.add(Event{Kind: Assigned, Conn: conn, Token: token, Handle: handle})
}

func (t *tale) end(conn int, handle string) { t.add(Event{Kind: Ending, Conn: conn, Handle: handle}) }
func (t *tale) heard(conn int)              { t.add(Event{Kind: Heard, Conn: conn}) }
func (t *tale) closed(conn int)             { t.add(Event{Kind: Closed, Conn: conn}) }
func (t *tale) confirm(conn int, h string)  { t.add(Event{Kind: Confirmed, Conn: conn, Handle: h}) }
func (t *tale) restart()                    { t.add(Event{Kind: Died}); t.add(Event{Kind: Started}) }

func job(token string) *Job {
	return &Job{Token: token, Type: protocol.SubmitJobBG, Function: "f", Payload: token + "|data"}
}

// is is a server with some jobs of the function f.
func is(handles ...string) *After {
	s := &Server{Jobs: handles, Counts: make(map[string]Count)}
	if len(handles) > 0 {
		s.Counts["f"] = Count{Total: len(handles), Normal: len(handles)}
	}
	return &After{Server: s}
}

// stored is the record of a job with the number 1-n.
func stored(token string, n uint64) persist.Job {
	return persist.Job{ID: persist.JobID{Epoch: 1, Seq: n}, Prefix: "H", Function: "f",
		Payload: []byte(token + "|data"), Priority: persist.Normal}
}

func holds(jobs ...persist.Job) *After { return &After{Store: &Store{Jobs: jobs}} }

// Each log breaks one invariant and no other.
func TestViolations(t *testing.T) {
	for _, c := range []struct {
		invariant Invariant
		name      string
		log       func(t *tale) *After
	}{
		{I1NoLoss, "an acknowledged job is gone after a restart", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.restart()
			return is()
		}},
		{I1NoLoss, "an acknowledged job is not in the store", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.ack("b", "H:1-2")
			return holds(stored("b", 2))
		}},
		{I1NoLoss, "a job that is with its worker is gone", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.assign(t.Conn(), "a", "H:1-1")
			return is()
		}},
		{I1NoLoss, "an acknowledged job is not known when asked for", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.add(Event{Kind: Seen, Handle: "H:1-1"})
			return is("H:1-1")
		}},
		{I1NoLoss, "an acknowledged job cannot be cancelled", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.add(Event{Kind: Cancelling, Handle: "H:1-1"})
			t.add(Event{Kind: Cancelled, Handle: "H:1-1", Note: "ERR UNKNOWN_JOB"})
			return is("H:1-1")
		}},
		{I1NoLoss, "a job is given up before its retries are used up", func(t *tale) *After {
			t.Retries = 3
			t.ack("a", "H:1-1")
			for range 2 {
				conn := t.Conn()
				t.assign(conn, "a", "H:1-1")
				t.closed(conn)
			}
			return is()
		}},
		{I2BoundedRepetition, "a job is with two workers", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.assign(t.Conn(), "a", "H:1-1")
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		}},
		{I2BoundedRepetition, "a job comes again while its worker says that it is done", func(t *tale) *After {
			t.ack("a", "H:1-1")
			conn := t.Conn()
			t.assign(conn, "a", "H:1-1")
			t.end(conn, "H:1-1")
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		}},
		{I2BoundedRepetition, "a job comes again before the lease is over", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.add(Event{Kind: Assigned, Conn: t.Conn(), Token: "a", Handle: "H:1-1", Lease: time.Minute})
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		}},
		{I3NoPhantom, "a job comes that nobody submitted", func(t *tale) *After {
			t.assign(t.Conn(), "a", "H:1-1")
			return is()
		}},
		{I3NoPhantom, "a refused job comes", func(t *tale) *After {
			t.submit("a")
			t.add(Event{Kind: Refused, Token: "a", Note: "QUEUE_ERROR"})
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		}},
		{I3NoPhantom, "a refused job is there", func(t *tale) *After {
			t.submit("a")
			t.add(Event{Kind: Refused, Token: "a", Note: "QUEUE_ERROR"})
			return is("H:1-1")
		}},
		{I3NoPhantom, "a job is in the store that nobody submitted", func(t *tale) *After { return holds(stored("a", 1)) }},
		{I3NoPhantom, "a job is in the store with another payload", func(t *tale) *After {
			t.ack("a", "H:1-1")
			j := stored("a", 1)
			j.Payload = []byte("a|other")
			return holds(j)
		}},
		{I3NoPhantom, "a handle stands for two jobs", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.ack("b", "H:1-1")
			return is("H:1-1")
		}},
		{I3NoPhantom, "a job comes otherwise than it was submitted", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.add(Event{Kind: Assigned, Conn: t.Conn(), Token: "a", Handle: "H:1-1", Note: "another reducer"})
			return is("H:1-1")
		}},
		{I3NoPhantom, "a job comes before its time", func(t *tale) *After {
			j := job("a")
			j.Due = t.began.Add(time.Hour)
			t.add(Event{Kind: Submitting, Token: "a", Job: j})
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		}},
		{I4SingleCompletion, "a job comes again although its end is on stable storage", func(t *tale) *After {
			t.ack("a", "H:1-1")
			conn := t.Conn()
			t.assign(conn, "a", "H:1-1")
			t.end(conn, "H:1-1")
			t.confirm(conn, "H:1-1")
			t.restart()
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		}},
		{I4SingleCompletion, "a job is known although its end was taken", func(t *tale) *After {
			t.ack("a", "H:1-1")
			conn := t.Conn()
			t.assign(conn, "a", "H:1-1")
			t.end(conn, "H:1-1")
			t.heard(conn)
			return is("H:1-1")
		}},
		{I4SingleCompletion, "a job is back that was gone after an earlier restart", func(t *tale) *After {
			t.ack("a", "H:1-1")
			conn := t.Conn()
			t.assign(conn, "a", "H:1-1")
			t.end(conn, "H:1-1")
			t.restart()
			t.Judge(is())
			t.restart()
			return is("H:1-1")
		}},
		{I4SingleCompletion, "a submission joins a job that is over", func(t *tale) *After {
			conn := t.Conn()
			for _, token := range []string{"a", "b"} {
				j := job(token)
				j.Unique = "u"
				t.add(Event{Kind: Submitting, Token: token, Job: j})
				t.add(Event{Kind: Created, Token: token, Handle: "H:1-1"})
				if token == "a" {
					t.assign(conn, token, "H:1-1")
					t.end(conn, "H:1-1")
					t.heard(conn)
				}
			}
			return is()
		}},
		{I4SingleCompletion, "the word of who does not hold it ends a job", func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.end(t.Conn(), "H:1-1")
			return is()
		}},
		{I5Integrity, "a counter is wrong", func(t *tale) *After {
			t.ack("a", "H:1-1")
			a := is("H:1-1")
			a.Server.Counts["f"] = Count{Total: 2, Normal: 2}
			return a
		}},
		{I5Integrity, "counters do not add up", func(t *tale) *After {
			t.ack("a", "H:1-1")
			a := is("H:1-1")
			a.Server.Counts["f"] = Count{Total: 1, Running: 1, Normal: 1}
			return a
		}},
		{I5Integrity, "the store is damaged", func(t *tale) *After { return &After{Store: &Store{Err: errors.New("checksum")}} }},
		{I6Liveness, "no job goes through", func(t *tale) *After {
			a := is()
			a.Server.Alive = errors.New("no answer")
			return a
		}},
	} {
		t.Run(fmt.Sprintf("I%d %s", int(c.invariant), c.name), func(t *testing.T) {
			log := newTale()
			found := log.Judge(c.log(log))
			if len(found) == 0 {
				t.Fatal("nothing was seen")
			}
			for _, v := range found {
				if v.Invariant != c.invariant {
					t.Errorf("seen beside it: %v", v)
				}
			}
		})
	}
}

// What may happen is no violation.
func TestBalanced(t *testing.T) {
	for name, log := range map[string]func(t *tale) *After{
		"a job whose end was said runs again after a crash": func(t *tale) *After {
			t.ack("a", "H:1-1")
			conn := t.Conn()
			t.assign(conn, "a", "H:1-1")
			t.end(conn, "H:1-1")
			t.heard(conn)
			t.restart()
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		},
		"a job comes again when its worker is lost": func(t *tale) *After {
			t.ack("a", "H:1-1")
			conn := t.Conn()
			t.assign(conn, "a", "H:1-1")
			t.end(conn, "H:1-1")
			t.closed(conn)
			t.assign(t.Conn(), "a", "H:1-1")
			return is("H:1-1")
		},
		"a job comes again when the lease is over, and the late word changes nothing": func(t *tale) *After {
			t.ack("a", "H:1-1")
			slow := t.Conn()
			t.add(Event{Kind: Assigned, Conn: slow, Token: "a", Handle: "H:1-1", Lease: time.Second})
			t.assign(t.Conn(), "a", "H:1-1")
			t.end(slow, "H:1-1")
			t.heard(slow)
			return is("H:1-1")
		},
		"a submission without an answer is there, and another is not": func(t *tale) *After {
			t.submit("a")
			t.submit("b")
			t.restart()
			return is("H:1-1")
		},
		"a cancel without an answer": func(t *tale) *After {
			t.ack("a", "H:1-1")
			t.add(Event{Kind: Cancelling, Handle: "H:1-1"})
			t.restart()
			return is()
		},
		"a job is given up after its retries": func(t *tale) *After {
			t.Retries = 2
			t.ack("a", "H:1-1")
			for range 2 {
				conn := t.Conn()
				t.assign(conn, "a", "H:1-1")
				t.closed(conn)
			}
			return is()
		},
		"two submissions join": func(t *tale) *After {
			for _, token := range []string{"a", "b"} {
				j := job(token)
				j.Unique = "u"
				t.add(Event{Kind: Submitting, Token: token, Job: j})
				t.add(Event{Kind: Created, Token: token, Handle: "H:1-1"})
			}
			return is("H:1-1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTale()
			for _, v := range b.Judge(log(b)) {
				t.Error(v)
			}
		})
	}
}

// A log that is cut off knows nothing of what comes later.
func TestUntil(t *testing.T) {
	b := newTale()
	b.ack("a", "H:1-1")
	before := b.at
	b.ack("b", "H:1-2")
	if v := b.Until(before).Judge(holds(stored("a", 1))); len(v) > 0 {
		t.Errorf("b was not yet acknowledged: %v", v)
	}
	if v := b.Until(before).Judge(holds()); len(v) != 1 || v[0].Invariant != I1NoLoss || !strings.Contains(v[0].What, "H:1-1") {
		t.Errorf("a was lost, and seen is %v", v)
	}
	if v := b.Until(b.at).Judge(holds(stored("a", 1))); len(v) != 1 || !strings.Contains(v[0].What, "H:1-2") {
		t.Errorf("b was lost, and seen is %v", v)
	}
}
