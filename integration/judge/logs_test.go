package judge

import (
	"errors"
	"time"
)

// Each log breaks one invariant and no other.
var broken = []struct {
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
	{I1NoLoss, "a job that is back after its end is lost after the next restart", func(t *tale) *After {
		t.ack("a", "H:1-1")
		conn := t.Conn()
		t.assign(conn, "a", "H:1-1")
		t.end(conn, "H:1-1")
		t.heard(conn)
		t.restart()
		t.Judge(is("H:1-1"))
		t.restart()
		return is()
	}},
	{I1NoLoss, "a job that is back after a cancel without an answer is lost later", func(t *tale) *After {
		t.ack("a", "H:1-1")
		t.add(Event{Kind: Cancelling, Handle: "H:1-1"})
		t.restart()
		t.add(Event{Kind: Seen, Handle: "H:1-1", Known: true})
		t.restart()
		return holds()
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
	{I4SingleCompletion, "a job is back that was ended before the server ended in peace", func(t *tale) *After {
		t.ack("a", "H:1-1")
		conn := t.Conn()
		t.assign(conn, "a", "H:1-1")
		t.end(conn, "H:1-1")
		t.heard(conn)
		t.add(Event{Kind: Died, Known: true})
		t.add(Event{Kind: Started})
		return is("H:1-1")
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
}

// What may happen is no violation.
var balanced = map[string]func(t *tale) *After{
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
}
