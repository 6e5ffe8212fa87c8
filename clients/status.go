package clients

import (
	"context"
	"strings"

	"gearbolt/protocol"
)

// A Handle names a job: the server that has it, and the server's name for it.
type Handle struct {
	Server string // as the client dials it; "" when it is not known
	ID     string // such as H:host:12-345
}

// String returns server//id, or the id alone where the server is not known.
func (h Handle) String() string {
	if h.Server == "" {
		return h.ID
	}
	return h.Server + "//" + h.ID
}

// ParseHandle reads what [Handle.String] writes.
func ParseHandle(s string) Handle {
	if i := strings.LastIndex(s, "//"); i >= 0 {
		return Handle{Server: s[:i], ID: s[i+2:]}
	}
	return Handle{ID: s}
}

// A Status is what a server knows of a job.
type Status struct {
	Known                  bool // false: there is no such job, any more or at all
	Running                bool // a worker has it
	Numerator, Denominator uint64
	Waiting                int // clients that wait for it; only of [Client.StatusUnique]
}

// Status asks for the job with a handle: its server, or where the handle does
// not name one of the client's, every server until one knows it.
func (c *Client) Status(ctx context.Context, h Handle) (Status, error) {
	if err := checkArgument("handle", h.ID, protocol.MaxHandle); err != nil {
		return Status{}, invalid("status", h.ID, err)
	}
	servers := c.servers
	for i, s := range c.servers {
		if s.addr.host == h.Server {
			servers = c.servers[i : i+1]
		}
	}
	return c.status(ctx, servers, protocol.GetStatus, h.ID)
}

// StatusUnique asks every server for the job with a unique id, until one knows
// it. Beside Gearbolt only gearmand 0.33 and later understand the question.
func (c *Client) StatusUnique(ctx context.Context, id string) (Status, error) {
	if err := checkArgument("unique id", id, protocol.MaxUnique-1); err != nil {
		return Status{}, invalid("status", id, err)
	}
	return c.status(ctx, c.inOrder(id), protocol.GetStatusUnique, id)
}

func invalid(op, subject string, err error) error {
	return &Error{Op: op, Function: subject, Err: joined(ErrInvalid, err)}
}

// status asks one server after the other. A job that nobody knows is unknown
// only if all could be asked.
func (c *Client) status(ctx context.Context, servers []*server, t protocol.Type, subject string) (st Status, failed error) {
	for _, s := range servers {
		k := c.newCall("status", subject, nil)
		k.packet = t
		err := c.ask(ctx, s, k)
		st = k.status
		c.release(k)
		switch {
		case err != nil:
			failed = err
		case st.Known:
			return st, nil
		}
	}
	return Status{}, failed
}

// readStatus reads STATUS_RES or STATUS_RES_UNIQUE.
func readStatus(args *protocol.Args) Status {
	return Status{
		Known:       count(args, 1) != 0,
		Running:     count(args, 2) != 0,
		Numerator:   count(args, 3),
		Denominator: count(args, 4),
		Waiting:     int(count(args, 5)),
	}
}
