package clients

import (
	"context"
	"fmt"
	"strconv"

	"gearbolt/protocol"
)

// A call is one request to a server, from its first byte to its last answer.
type call struct {
	op         string
	packet     protocol.Type // the request; 0: a submission, see choosePacket
	background bool          // JOB_CREATED is the end of it
	function   string        // or what a status is asked of
	payload    []byte
	opts       callOptions

	// How it ended. Whoever receives from ready may read them.
	ready  chan struct{} // holds a token when it is over; of a stream, also when there are events
	data   []byte
	status Status
	err    error

	// Guarded by the session's lock.
	state  state
	seq    uint64 // while replying: its place among the replies
	end    uint64 // where its last byte stands in all that the link ever sent
	handle string // of the job, once the server has said it
	stream *stream

	// Owned by the caller: for the error.
	server string
	sent   bool
}

// A state says where the session has a call in its tables.
type state uint8

const (
	idle     state = iota // nowhere: not sent, or over
	replying              // among the replies
	running               // among the jobs
)

// reset makes a call ready to be sent, for the first time or again.
func (k *call) reset() {
	k.data, k.err, k.status = nil, nil, Status{}
	k.state, k.handle = idle, ""
}

// check finds a call that the protocol cannot carry or the server would not take.
func (k *call) check(limit int) (err error) {
	if k.packet == 0 {
		err = k.choosePacket()
	}
	if err == nil && k.bodySize() > limit {
		err = fmt.Errorf("a packet of %d bytes exceeds the limit of %d", k.bodySize(), limit)
	}
	if err != nil {
		return joined(ErrInvalid, err)
	}
	return nil
}

// choosePacket chooses how a job is submitted.
func (k *call) choosePacket() (err error) {
	if err = checkFunction(k.function); err == nil {
		err = k.opts.check()
	}
	if err == nil {
		k.packet, err = k.opts.packet(k.background)
	}
	return err
}

// bodySize is the length of the packet's body, or a little more.
func (k *call) bodySize() int {
	const startTime, nuls = 20, 4
	return len(k.function) + len(k.opts.unique) + len(k.opts.reducer) + len(k.payload) + startTime + nuls
}

// appendTo appends the request.
func (k *call) appendTo(dst []byte) []byte {
	start := len(dst)
	dst = protocol.AppendHeader(dst, protocol.Req, k.packet, 0)
	switch k.packet {
	case protocol.EchoReq:
	case protocol.GetStatus, protocol.GetStatusUnique:
		dst = append(dst, k.function...)
	default:
		dst = k.appendJob(dst)
	}
	return protocol.FinishPacket(append(dst, k.payload...), start)
}

// appendJob appends the arguments of a submission.
func (k *call) appendJob(dst []byte) []byte {
	dst = append(append(dst, k.function...), 0)
	dst = append(append(dst, k.opts.unique...), 0)
	switch {
	case k.packet == protocol.SubmitJobEpoch:
		dst = append(strconv.AppendInt(dst, k.opts.start.Unix(), 10), 0)
	case k.opts.hasReducer: // the second NUL ends an aggregator, which libgearman and servers expect
		dst = append(append(dst, k.opts.reducer...), 0, 0)
	}
	return dst
}

// wait waits for the end of a call that was sent. When ctx ends first, the
// call is forgotten at once.
func (k *call) wait(ctx context.Context, s *session) error {
	select {
	case <-k.ready:
	case <-ctx.Done():
		if s.forget(k) {
			return ctx.Err()
		}
		<-k.ready // it ended at the same moment
	}
	return k.err
}

// signal says that there is something to be had.
func (k *call) signal() {
	select {
	case k.ready <- struct{}{}:
	default:
	}
}

// failure wraps why a call ended for its caller.
func (k *call) failure(err error) error {
	return &Error{Op: k.op, Function: k.function, Server: k.server, Handle: k.handle, Sent: k.sent, Err: err}
}
