package clients

import (
	"context"
	"iter"

	"gearbolt/protocol"
)

// A Kind says what an [Event] is.
type Kind uint8

// The kinds of events. Created comes first, once. Complete comes last; a job
// that ends otherwise ends its stream with an error.
const (
	Created  Kind = iota // the server has taken the job: Handle
	Data                 // part of the result: Data
	Warning              // Data
	Progress             // Numerator of Denominator are done
	Complete             // the result: Data
)

// An Event is something that happened to a job while a [Client.Stream] waits
// for it. The bytes are the reader's.
type Event struct {
	Kind                   Kind
	Handle                 Handle
	Data                   []byte
	Numerator, Denominator uint64
}

// streamLimit is how many bytes may wait for the reader of a stream.
const streamLimit = 64 << 20

// eventCost is about what an event takes beside its data.
const eventCost = 100

// A stream is the part of a call that waits for more than its end. Guarded by
// the session's lock, but for yield and began.
type stream struct {
	events []Event
	size   int

	yield func(Event, error) bool
	began bool // an event was yielded: the call cannot be sent again unseen
}

// Stream calls a function and yields what happens to the job as it happens.
// The last pair is either the event [Complete] or an error, as [Client.Call]
// has them. To stop early gives the job up: it may go on, unheard. Nothing is
// sent before the stream is ranged over, and each range is a call of its own.
func (c *Client) Stream(ctx context.Context, function string, payload []byte, opts ...CallOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		k := &call{op: "stream", function: function, payload: payload, ready: make(chan struct{}, 1)}
		k.stream = &stream{yield: yield}
		for _, o := range opts {
			o(&k.opts)
		}
		if err := c.do(ctx, k); err != nil && err != errStopped {
			yield(Event{}, err)
		}
	}
}

// push appends an event. The session's lock is held.
func (s *session) push(k *call, e Event) {
	if k.stream.size += len(e.Data) + eventCost; k.stream.size > streamLimit {
		s.leave(k)
		k.sent = true
		s.finish(k, nil, ErrOverrun)
		return
	}
	k.stream.events = append(k.stream.events, e)
	k.signal()
}

// pump yields events until the call is over, its reader stops or ctx ends.
func (t *stream) pump(ctx context.Context, s *session, k *call) error {
	defer s.forget(k) // also when the reader panics
	for {
		events, over := t.take(s, k)
		for _, e := range events {
			t.began = true
			if !t.yield(e, nil) {
				return errStopped
			}
		}
		if over {
			return t.finish(k)
		}
		select {
		case <-k.ready:
		case <-ctx.Done():
			if s.forget(k) {
				return ctx.Err()
			}
		}
	}
}

func (t *stream) take(s *session, k *call) (events []Event, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events, t.events, t.size = t.events, nil, 0
	return events, k.state == idle
}

// finish yields the result.
func (t *stream) finish(k *call) error {
	if k.err == nil && !t.yield(Event{Kind: Complete, Data: k.data}, nil) {
		return errStopped
	}
	return k.err
}

// count reads a number of WORK_STATUS, which is text; some workers leave out
// the second, or send a fraction.
func count(args *protocol.Args, i int) uint64 {
	if i >= args.N {
		return 0
	}
	n, _ := protocol.Int(args.Arg[i])
	return uint64(max(n, 0))
}
