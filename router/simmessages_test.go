package router

import (
	"strconv"
	"strings"

	"gearbolt/protocol"
)

// message makes up something for a connection to say. By their numbers, some
// are clients, some workers and some both.
func (s *simulation) message(c *modelConn) protocol.Message {
	role := c.conn.number % 3
	switch n := s.rng.IntN(100); {
	case n < 10:
		return s.adminLine()
	case n < 18:
		return s.anybody()
	case role == 0, role == 1 && n < 40:
		if len(s.model.queue) <= s.backlog {
			return s.submission()
		}
	}
	return s.worker(c)
}

func (s *simulation) function() string { return pick(s, "f", "f", "g", "h") }

func (s *simulation) submission() protocol.Message {
	function, unique := s.function(), pick(s, "", "", "u1", "u2", "-", strings.Repeat("u", 64), strings.Repeat("u", 65))
	payload := pick(s, "", "x", "u1", "payload", "a\x00b", strings.Repeat("long", 20))
	switch n := s.rng.IntN(20); {
	case n < 3:
		at := s.clock.wall.Unix() + pick(s, int64(-1), 0, 1, 2, 2, 60, 4000)
		return request(protocol.SubmitJobEpoch, function, unique, strconv.FormatInt(at, 10), payload)
	case n < 4:
		return request(protocol.SubmitJobSched, function, unique, pick(s, "*", "0", "59"), pick(s, "*", "0"), "*", "*", "*", payload)
	case n < 6:
		t := pick(s, protocol.SubmitReduceJob, protocol.SubmitReduceJobBG)
		return request(t, function, unique, pick(s, "", "sum"), "", strings.ReplaceAll(payload, "\x00", ""))
	}
	t := pick(s, protocol.SubmitJob, protocol.SubmitJob, protocol.SubmitJobHigh, protocol.SubmitJobLow,
		protocol.SubmitJobBG, protocol.SubmitJobBG, protocol.SubmitJobHighBG, protocol.SubmitJobLowBG)
	return request(t, function, unique, payload)
}

// worker makes up what workers say, mostly about jobs that they have. More often
// than not they do what workers do: register a few functions, come when they
// are woken, sleep when there is nothing.
func (s *simulation) worker(c *modelConn) protocol.Message {
	if s.chance(50) {
		switch {
		case len(c.abilities) < 2:
			return request(protocol.CanDo, s.function())
		case c.sleep == woken:
			return request(protocol.GrabJobUniq)
		case c.sleep == up && len(c.holding) == 0 && s.model.choose(c) == nil:
			return request(protocol.PreSleep)
		}
	}
	switch n := s.rng.IntN(100); {
	case n < 15:
		return request(protocol.CanDo, s.function())
	case n < 20:
		return request(protocol.CanDoTimeout, s.function(), pick(s, "1000", "2500"))
	case n < 23:
		return request(protocol.CantDo, s.function())
	case n < 24:
		return request(protocol.ResetAbilities)
	case n < 25:
		return request(protocol.AllYours)
	case n < 45:
		return request(protocol.PreSleep)
	case n < 70:
		return request(pick(s, protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll))
	}
	handle := s.handle()
	if len(c.holding) > 0 && !s.chance(10) {
		handle = pick(s, c.holding...).handle
	}
	switch n := s.rng.IntN(10); {
	case n < 2:
		return request(pick(s, protocol.WorkData, protocol.WorkWarning), handle, pick(s, "", "some\x00data"))
	case n < 3:
		return request(protocol.WorkStatus, handle, pick(s, "1", "-5", "x"), "10")
	case n < 4:
		return request(protocol.WorkException, handle, "thrown")
	case n < 5:
		return request(protocol.WorkFail, handle)
	}
	return request(protocol.WorkComplete, handle, pick(s, "", "result"))
}

// handle is that of any job, or of none.
func (s *simulation) handle() string {
	if len(s.model.jobs) == 0 || s.chance(10) {
		return pick(s, "", "H:sim:1-1", "H:sim:0-1", "H:none:9-9", "nonsense")
	}
	return pick(s, s.model.jobs...).handle
}

func (s *simulation) anybody() protocol.Message {
	switch n := s.rng.IntN(100); {
	case n < 20:
		return request(protocol.EchoReq, "some", "bytes")
	case n < 30:
		return request(protocol.OptionReq, "exceptions")
	case n < 40:
		return request(protocol.SetClientID, pick(s, "me", "you"))
	case n < 65:
		return request(protocol.GetStatus, s.handle())
	case n < 90:
		return request(protocol.GetStatusUnique, pick(s, "u1", "u2", "-", "", "x"))
	case n < 93:
		return request(protocol.Noop)
	case n < 96:
		return protocol.Message{Magic: protocol.Res, Type: protocol.EchoReq}
	case n < 98:
		return request(protocol.SubmitJob, "f", "u1")
	}
	return line("one two three four five six")
}

func (s *simulation) adminLine() protocol.Message {
	switch n := s.rng.IntN(100); {
	case n < 65:
		return line(pick(s, "status", "prioritystatus", "workers", "show jobs", "show unique jobs", "show maxqueue", "show maxqueuebytes", "jobs", "clients"))
	case n < 80:
		if handle := s.handle(); handle != "" {
			return line("cancel job " + handle)
		}
		return line("nothing")
	case n < 90:
		if s.chance(30) {
			return line("maxqueuebytes " + s.function() + pick(s, "", " 0", " 5", " 90"))
		}
		return line("maxqueue " + s.function() + pick(s, "", " 2", " 3 1", " 1 2 3", " 0"))
	}
	return line(pick(s, "create", "drop") + " function " + pick(s, "f", "g", "h", "i"))
}
