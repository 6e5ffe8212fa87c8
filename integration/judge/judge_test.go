package judge

import (
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

func TestViolations(t *testing.T) {
	for _, c := range broken {
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

func TestBalanced(t *testing.T) {
	for name, log := range balanced {
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
