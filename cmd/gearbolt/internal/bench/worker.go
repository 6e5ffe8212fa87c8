package bench

import (
	"fmt"
	"time"

	"gearbolt/protocol"
)

// Parked says whether workers leave their grabs with the server (ALL_YOURS).
type Parked string

// Auto is on where the server allows it.
const (
	ParkedAuto Parked = "auto"
	ParkedOn   Parked = "on"
	ParkedOff  Parked = "off"
)

// A worker is a connection that does jobs by sending their payload back.
type worker struct {
	*wire
	functions []string
	grabs     int // outstanding at once
	parked    bool
	asked     []time.Time // grabs that are not answered, the oldest first
	latency   *histogram  // from grab to job; nil: not wanted
	took      func()      // called for each job
}

// introduce registers the functions. When it returns the server knows them.
func (w *worker) introduce(want Parked) error {
	for _, f := range w.functions {
		w.say(protocol.CanDo, []byte(f))
	}
	if want != ParkedOff {
		w.say(protocol.AllYours)
	}
	w.say(protocol.EchoReq, hello)
	w.parked = want != ParkedOff
	return w.serve(func(m protocol.Message) error {
		switch {
		case m.Type == protocol.EchoRes:
			return errDone
		case m.Type == protocol.Error && want == ParkedAuto:
			w.parked = false
			return nil
		case m.Type == protocol.Error && want == ParkedOn:
			return fmt.Errorf("the server keeps no grabs (%w); leave out --parked=on", refused(m))
		}
		return unexpected(m)
	})
}

// run does jobs until the connection is closed.
func (w *worker) run() error {
	w.ask(w.grabs)
	return w.serve(w.hear)
}

// ask sends n grabs.
func (w *worker) ask(n int) {
	for range n {
		w.say(protocol.GrabJob)
		w.asked = append(w.asked, time.Now())
	}
}

func (w *worker) hear(m protocol.Message) error {
	switch m.Type {
	case protocol.JobAssign:
		return w.work(m.Body)
	case protocol.NoJob:
		w.parked = false // a server that keeps grabs does not say this
		if w.asked = w.asked[1:]; len(w.asked) == 0 {
			w.say(protocol.PreSleep)
		}
	case protocol.Noop:
		if len(w.asked) == 0 {
			w.ask(w.grabs)
		}
	default:
		return unexpected(m)
	}
	return nil
}

func (w *worker) work(body []byte) error {
	var args protocol.Args
	if err := protocol.Split(protocol.JobAssign, body, &args); err != nil {
		return err
	}
	if len(w.asked) == 0 {
		return fmt.Errorf("a job came that was not asked for")
	}
	if w.latency != nil {
		w.latency.add(time.Since(w.asked[0]))
	}
	w.asked = w.asked[1:]
	w.say(protocol.WorkComplete, args.Arg[0], args.Data)
	w.ask(1)
	w.took()
	return nil
}
