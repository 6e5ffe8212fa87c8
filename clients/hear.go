package clients

import (
	"bytes"
	"errors"
	"fmt"

	"gearbolt/protocol"
)

// errUnasked ends a connection on which answers and questions do not match: no
// answer on it can be trusted any more.
var errUnasked = errors.New("the server gave an answer that it was not asked for")

// hear takes one packet. An error ends the connection.
func (s *session) hear(m protocol.Message) error {
	if !s.ready {
		return s.hearHello(m)
	}
	switch m.Type {
	case protocol.JobCreated, protocol.StatusRes, protocol.StatusResUnique, protocol.EchoRes, protocol.Error:
		return s.hearAnswer(m)
	case protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus:
		return s.hearReport(m)
	case protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		return s.hearEnd(m)
	}
	s.client.cfg.Logger.Debug("gearman: a packet that means nothing to a client", "packet", m.Type.String(), "server", s.server.addr.host)
	return nil
}

// hearHello takes the answers to hello, of which the echo is the last.
func (s *session) hearHello(m protocol.Message) error {
	switch {
	case m.Type == protocol.Error:
		if e := readServerError(m.Body); e.Code == string(protocol.QueueError) { // the connection is turned away
			return errors.New(e.Error())
		}
		return nil
	case m.Type == protocol.OptionRes:
		return nil
	case m.Type != protocol.EchoRes, !bytes.Equal(m.Body, hello):
		return errUnasked
	}
	s.ready = true
	s.greeted()
	s.server.raise(s)
	return nil
}

// hearAnswer takes the reply that is owed next.
func (s *session) hearAnswer(m protocol.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.replies.pop()
	switch {
	case !ok && m.Type == protocol.Error: // about the connection: what follows is its end
		return readServerError(m.Body)
	case !ok:
		return errUnasked
	case k == nil:
		return nil
	case k == ghost:
		if m.Type == protocol.JobCreated {
			s.listen(nil, string(protocol.CString(m.Body)))
		}
		return nil
	case m.Type == protocol.Error:
		s.refused(k, readServerError(m.Body))
		return nil
	}
	if err := s.answer(k, m); err != nil {
		k.sent = true
		s.finish(k, nil, joined(ErrLost, err))
		return err
	}
	return nil
}

// refused ends a call that the server answered with ERROR.
func (s *session) refused(k *call, e *ServerError) {
	if e.elsewhere() {
		s.finish(k, nil, unsent{err: e, reached: true})
		return
	}
	s.finish(k, nil, e)
}

// answer gives k the reply m.
func (s *session) answer(k *call, m protocol.Message) error {
	var args protocol.Args
	switch {
	case m.Type != k.answer():
		return errUnasked
	case m.Type == protocol.EchoRes:
		s.finish(k, s.in.keep(m.Body), nil)
		return nil
	case protocol.Split(m.Type, m.Body, &args) != nil:
		return fmt.Errorf("%w: a %s that cannot be read", errUnasked, m.Type)
	case m.Type == protocol.JobCreated:
		s.created(k, string(protocol.CString(args.Arg[0])))
		return nil
	}
	k.status = readStatus(&args)
	s.finish(k, nil, nil)
	return nil
}

// answer is the packet that answers a call.
func (k *call) answer() protocol.Type {
	switch k.packet {
	case protocol.EchoReq:
		return protocol.EchoRes
	case protocol.GetStatus:
		return protocol.StatusRes
	case protocol.GetStatusUnique:
		return protocol.StatusResUnique
	}
	return protocol.JobCreated
}

// created takes the job's handle, by which the server speaks of it from now on.
func (s *session) created(k *call, handle string) {
	k.handle = handle
	if k.background {
		k.sent = true
		s.finish(k, nil, nil)
		return
	}
	k.state = running
	s.listen(k, handle)
	if k.stream != nil {
		s.push(k, Event{Kind: Created, Handle: Handle{Server: s.server.addr.host, ID: handle}})
	}
}

// listen adds a call, or a place that nobody takes, to a job's audience.
func (s *session) listen(k *call, handle string) {
	if a, ok := s.jobs[handle]; ok {
		a.others = append(a.others, k)
		s.jobs[handle] = a
	} else {
		s.jobs[handle] = audience{first: k}
	}
}

// hearReport takes WORK_DATA, WORK_WARNING or WORK_STATUS, of which only
// streams want to know.
func (s *session) hearReport(m protocol.Message) error {
	var args protocol.Args
	if err := protocol.Split(m.Type, m.Body, &args); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.jobs[string(args.Arg[0])]
	if !ok {
		return nil
	}
	k := a.next()
	s.jobs[string(args.Arg[0])] = a
	if k != nil && k.stream != nil {
		s.push(k, s.event(m.Type, &args))
	}
	return nil
}

// event reads a report.
func (s *session) event(t protocol.Type, args *protocol.Args) Event {
	switch t {
	case protocol.WorkStatus:
		return Event{Kind: Progress, Numerator: count(args, 1), Denominator: count(args, 2)}
	case protocol.WorkWarning:
		return Event{Kind: Warning, Data: s.in.keep(args.Data)}
	}
	return Event{Kind: Data, Data: s.in.keep(args.Data)}
}

// hearEnd takes WORK_COMPLETE, WORK_FAIL or WORK_EXCEPTION: the job is over for
// all who wait for it, and further copies are of no interest.
func (s *session) hearEnd(m protocol.Message) error {
	var args protocol.Args
	if err := protocol.Split(m.Type, m.Body, &args); err != nil {
		return err
	}
	handle := protocol.CString(args.Arg[0]) // gearmand ends one with a NUL at times
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.jobs[string(handle)]
	if !ok {
		return nil
	}
	delete(s.jobs, string(handle))
	for k := range a.all {
		s.over(k, m.Type, s.share(&a, args.Data))
	}
	return nil
}

// share returns bytes that are one caller's own.
func (s *session) share(a *audience, data []byte) []byte {
	if a.size() > 1 {
		return bytes.Clone(data)
	}
	return s.in.keep(data)
}

// over ends a call by the last packet about its job.
func (s *session) over(k *call, t protocol.Type, data []byte) {
	k.sent = true
	switch t {
	case protocol.WorkFail:
		s.finish(k, nil, ErrFailed)
	case protocol.WorkException:
		s.finish(k, nil, &Exception{Data: data})
	default:
		s.finish(k, data, nil)
	}
}
