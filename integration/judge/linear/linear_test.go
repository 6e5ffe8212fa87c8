package linear

import (
	"testing"
	"time"

	"gearbolt/integration/judge"
)

// A scene is a log, one second after the other, about the job H:1-1.
type scene []judge.Event

func (s scene) log() []judge.Event {
	life := 1
	for i := range s {
		e := &s[i]
		if e.Kind == judge.Started && i > 0 {
			life++
		}
		e.At, e.Life = time.Duration(2*i+2)*time.Second, life
		if e.Called == 0 {
			e.Called = e.At - time.Second
		}
		switch e.Kind {
		case judge.Started, judge.Died, judge.Heard, judge.Closed:
		default:
			e.Token, e.Handle = "a", "H:1-1"
		}
	}
	return s
}

var (
	start   = judge.Event{Kind: judge.Started}
	death   = judge.Event{Kind: judge.Died}
	peace   = judge.Event{Kind: judge.Died, Known: true}
	created = judge.Event{Kind: judge.Created}
	one     = judge.Event{Kind: judge.Assigned, Conn: 1}
	two     = judge.Event{Kind: judge.Assigned, Conn: 2}
	ends    = judge.Event{Kind: judge.Ending, Conn: 1}
	twoEnds = judge.Event{Kind: judge.Ending, Conn: 2}
	hears   = judge.Event{Kind: judge.Heard, Conn: 1}
	twoHear = judge.Event{Kind: judge.Heard, Conn: 2}
	sure    = judge.Event{Kind: judge.Confirmed, Conn: 1}
	leaves  = judge.Event{Kind: judge.Closed, Conn: 1}
	waits   = judge.Event{Kind: judge.Seen, Known: true}
	runs    = judge.Event{Kind: judge.Seen, Known: true, Busy: true}
	unknown = judge.Event{Kind: judge.Seen}
	cancels = judge.Event{Kind: judge.Cancelled, Known: true}
	late    = judge.Event{Kind: judge.Cancelled}
	asks    = judge.Event{Kind: judge.Cancelling}
)

// Lives that a job can have lived.
var possible = map[string]scene{
	"a life":                         {start, created, waits, one, runs, ends, hears, unknown},
	"the worker is lost":             {start, created, one, leaves, two, twoEnds, twoHear, unknown},
	"a late word changes nothing":    {start, created, one, leaves, two, ends, hears, runs, twoEnds, twoHear, unknown},
	"an end is undone by a crash":    {start, created, one, ends, hears, unknown, death, start, waits, two},
	"an end is not undone":           {start, created, one, ends, hears, death, start, unknown},
	"a confirmed end":                {start, created, one, ends, hears, sure, death, start, unknown},
	"two submissions join":           {start, created, created, one, ends, hears, unknown},
	"a cancel":                       {start, created, one, cancels, unknown, ends, hears, late},
	"a cancel without an answer":     {start, created, asks, death, start, unknown},
	"nothing came of it":             {start, created, asks, death, start, waits},
	"without an answer to end":       {start, created, one, ends, leaves, unknown},
	"to end in vain, and come again": {start, created, one, ends, leaves, two},
}

// And lives that none can.
var impossible = map[string]scene{
	"two workers have it":                   {start, created, one, two},
	"it is completed twice":                 {start, created, one, ends, hears, two, twoEnds, twoHear},
	"it is known though its end was taken":  {start, created, one, ends, hears, waits},
	"it is known though its end was stored": {start, created, one, ends, sure, death, start, waits},
	"it comes again from the store":         {start, created, one, ends, sure, death, start, two},
	"it is lost":                            {start, created, waits, unknown},
	"it is lost in a crash":                 {start, created, death, start, unknown},
	"it is given to nobody, and runs":       {start, created, runs},
	"it has a worker, and does not run":     {start, created, one, waits},
	"its worker vanished with it":           {start, created, one, leaves, unknown},
	"a foreign word ends it":                {start, created, twoEnds, twoHear, unknown},
	"it is assigned before it is there":     {start, one},
	"it comes though it was cancelled":      {start, created, cancels, one},
	"it cannot be cancelled":                {start, created, late},
	"a submission joins what is over":       {start, created, one, ends, hears, created},
	"an end is undone though in peace":      {start, created, one, ends, hears, peace, start, waits},
	"a cancelled one is back":               {start, created, cancels, death, start, waits},
}

func TestHistories(t *testing.T) {
	for name, s := range possible {
		for _, what := range Check(s.log()).Impossible {
			t.Errorf("%s: %s", name, what)
		}
	}
	for name, s := range impossible {
		if len(Check(s.log()).Impossible) != 1 {
			t.Errorf("%s: not seen", name)
		}
	}
}
