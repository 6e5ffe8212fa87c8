package router

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gearbolt/persist"
)

func (s *stage) serverDoes(verb, rest string) error {
	switch verb {
	case "crashes":
		s.store.batch = nil
		s.store.epoch++
		s.clock.pass(time.Second)
		s.start()
	case "quiesces":
		s.machine.Quiesce()
	case "":
		return s.configure(rest)
	default:
		return fmt.Errorf("this means nothing")
	}
	return nil
}

// configure changes the policy.
func (s *stage) configure(settings string) error {
	for _, setting := range strings.Fields(settings) {
		name, value, _ := strings.Cut(setting, "=")
		n, err := strconv.Atoi(value)
		switch name {
		case "retries":
			s.cfg.JobRetries = n
		case "wakeup":
			s.cfg.WorkerWakeup = n
		case "memory":
			s.cfg.PayloadMemory = int64(n)
		case "replies":
			s.cfg.ReplyLimit = n
		case "jobs":
			s.cfg.Limits.Jobs = n
		case "jobs-each":
			s.cfg.Limits.JobsPerFunction = n
		case "bytes":
			s.cfg.Limits.QueueBytes = int64(n)
		case "bytes-each":
			s.cfg.Limits.QueueBytesPerFunction = int64(n)
		case "functions":
			s.cfg.Limits.Functions = n
		case "functions-each":
			s.cfg.Limits.FunctionsPerConn = n
		case "clients":
			s.cfg.Limits.ClientsPerJob = n
		case "queue-memory":
			s.cfg.Limits.Memory = int64(n)
		case "exceptions":
			s.cfg.Exceptions, err = strconv.ParseBool(value)
		case "prefix":
			s.cfg.HandlePrefix, err = value, nil
		default:
			return fmt.Errorf("there is no setting %s", name)
		}
		if err != nil {
			return err
		}
	}
	s.machine.Configure(s.clock.now(), s.cfg)
	return nil
}

// pass lets time go by, with every tick that the machine wants. What happens
// on the way is told with the time that has gone by until then.
func (s *stage) pass(d string) error {
	all, err := time.ParseDuration(d)
	start := s.clock.ran
	for end := start + all; err == nil; {
		wait := end - s.clock.ran
		next := s.machine.Next()
		early := !next.IsZero() && next.Sub(s.clock.now()) <= wait
		if early {
			wait = max(next.Sub(s.clock.now()), 0)
		}
		s.clock.pass(wait)
		s.machine.Tick(s.clock.now())
		err = s.tell(s.clock.ran - start)
		if !early {
			return err
		}
	}
	return err
}

// tell takes down what has happened by then.
func (s *stage) tell(then time.Duration) error {
	before := s.said
	s.said = nil
	err := s.collect()
	if len(s.said) > 0 {
		before = append(before, "after "+then.String())
	}
	s.said = append(before, s.said...)
	return err
}

// wakeTime tells when the machine wants to be woken.
func (s *stage) wakeTime() string {
	next := s.machine.Next()
	if next.IsZero() {
		return "nothing is due"
	}
	return "next in " + next.Sub(s.clock.now()).String()
}

// collect takes down what has come of an event. Unless the store holds, it
// answers at once, which may lead to more.
func (s *stage) collect() error {
	for {
		s.hear()
		if s.take(); s.holds {
			return nil
		}
		switch {
		case len(s.fetches) > 0:
			f := s.fetches[0]
			s.fetches = s.fetches[1:]
			s.read(f)
		case s.store.batch != nil:
			if err := s.commit(nil); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// hear takes down what is said. The bytes of one connection that follow each
// other are one stream.
func (s *stage) hear() {
	var stream []byte
	sends := s.machine.Sends()
	for i, send := range sends {
		stream = append(append(stream, send.Head...), send.Body...)
		if i+1 < len(sends) && sends[i+1].Conn == send.Conn && !send.Close {
			continue
		}
		for _, word := range spell(stream) {
			s.said = append(s.said, fmt.Sprintf("%s < %s", send.Conn.Owner(), word))
		}
		if stream = stream[:0]; send.Close {
			s.said = append(s.said, fmt.Sprintf("%s is closed", send.Conn.Owner()))
		}
	}
	if kind := s.machine.Shutdown(); kind != NoShutdown {
		s.said = append(s.said, []string{ShutdownNow: "the server is to shut down", ShutdownGraceful: "the server is to shut down when its jobs are done"}[kind])
		s.machine.shutdown = NoShutdown
	}
}

// take takes down what the store is to do.
func (s *stage) take() {
	if batch := s.machine.Changes(); batch != nil {
		s.store.begin(batch)
		for _, c := range batch {
			s.said = append(s.said, "store < "+change(c))
		}
	}
	for _, f := range s.machine.Fetches() {
		s.fetches = append(s.fetches, f)
		s.said = append(s.said, fmt.Sprintf("store < read %v", f.Job))
	}
}

// change spells a change for the store.
func change(c persist.Change) string {
	switch c.Kind {
	case persist.PutJob:
		return "put " + c.Job.ID.String() + " " + putDetails(c.Job)
	case persist.DeleteJob:
		return fmt.Sprintf("delete %v", c.ID)
	case persist.SetAttempt:
		return fmt.Sprintf("attempts %v %d", c.ID, c.Attempts)
	}
	words := fmt.Sprintf("limit %s %d %d %d", c.Limit.Function, c.Limit.Max[persist.High], c.Limit.Max[persist.Normal], c.Limit.Max[persist.Low])
	if c.Limit.Bytes != 0 {
		words += fmt.Sprintf(" bytes %d", c.Limit.Bytes)
	}
	return words
}

func putDetails(j *persist.Job) string {
	words := []string{escape(j.Function + "\x00" + j.Unique + "\x00" + string(j.Payload)), []string{"high", "normal", "low"}[j.Priority]}
	if j.HasReducer {
		words = append(words, "reducer "+strconv.Quote(j.Reducer))
	}
	if !j.Due.IsZero() {
		words = append(words, "due "+j.Due.UTC().Format(time.RFC3339))
	}
	return strings.Join(words, " ")
}
