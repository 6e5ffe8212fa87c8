package router

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// FuzzLine says an admin line to a machine that has functions, jobs and workers
// to be asked about. What it answers is whole lines, and only a line of too many
// words ends the connection.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"status", "workers", "show jobs", "show unique jobs", "show maxqueue", "jobs", "clients", "counters",
		"cancel job H:1-1", "maxqueue f 1 2 3", "maxqueuebytes f 10", "create function \xff", "drop function f", "verbose", "getpid",
		"shutdown graceful", "backup x", "a b c d e f", "", " ", "prioritystatus\x00x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s := newStage()
		worker := s.machine.Connect(Peer{Addr: "w", Full: "w", Owner: "w"})
		asking := s.machine.Connect(Peer{Addr: "a", Full: "a", Owner: "a"})
		for _, m := range []protocol.Message{request(protocol.CanDo, "f"), request(protocol.CanDo, "g\xff h"),
			request(protocol.SubmitJob, "f", "u", "x"), request(protocol.SubmitJobBG, "nobody", "", "x"), request(protocol.GrabJob)} {
			s.machine.Step(s.clock.now(), worker, m)
		}
		s.machine.Sends()
		s.machine.Step(s.clock.now(), asking, protocol.Message{Magic: protocol.Text, Body: line})
		var said []byte
		for _, send := range s.machine.Sends() {
			if send.Conn == asking {
				said = append(append(said, send.Head...), send.Body...)
			}
		}
		if len(said) > 0 && said[len(said)-1] != '\n' {
			t.Errorf("%q is answered with %q", line, said)
		}
		if asked, _, _ := bytes.Cut(line, []byte{0}); asking.closing && strings.Count(string(asked), " ") < protocol.MaxWords {
			t.Errorf("%q ends the connection", line)
		}
		if err := s.machine.check(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzSchedule reads the fields of SUBMIT_JOB_SCHED. What they give is a minute
// to come that is like them, and no minute of the day before it is.
func FuzzSchedule(f *testing.F) {
	f.Add(int64(0), "*", "", "*", "", "*")
	f.Add(int64(1709251199), "59", "23", "29", "2", "6")
	f.Add(int64(4102444800), "0", "0", "31", "4", "")
	f.Add(int64(4102444800), "0", "0", "", "1", "") // now is such a minute
	f.Add(int64(-1), "60", "1,2", "-1", "99999999999999999999", "7")
	f.Fuzz(func(t *testing.T, seconds int64, minute, hour, day, month, weekday string) {
		now := time.Unix(seconds%(1<<33), 0)
		args := [][]byte{[]byte(minute), []byte(hour), []byte(day), []byte(month), []byte(weekday)}
		at, err := nextMatch(now, args)
		if err != nil {
			return
		}
		var s schedule
		for i, arg := range args {
			if s[i], err = field(i, arg); err != nil {
				t.Fatalf("%q is good, and its part %q is not: %v", args, arg, err)
			}
		}
		if !at.After(now) || at.Second() != 0 || !s.skip(at).Equal(at) {
			t.Fatalf("%q after %v is %v", args, now, at)
		}
		first := at.AddDate(0, 0, -1)
		if !first.After(now) {
			first = now.UTC().Truncate(time.Minute).Add(time.Minute)
		}
		for ; first.Before(at); first = first.Add(time.Minute) {
			if s.skip(first).Equal(first) {
				t.Fatalf("%q after %v is %v, and %v before that", args, now, at, first)
			}
		}
	})
}
