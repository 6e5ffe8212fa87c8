package clients

import (
	"context"
	"sync"
)

// A Client calls functions. It holds one connection to each server, which all
// calls share; it dials when a call first needs it. All methods may be used by
// any number of goroutines at once.
type Client struct {
	cfg     Config
	servers []*server
	calls   sync.Pool
	ctx     context.Context // ends at Close
	cancel  context.CancelFunc
	tasks   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	up     chan struct{} // closed and replaced when a server comes up
}

// NewClient returns a client of the servers that c names. It fails only where c
// makes no sense: no server need be there yet.
func NewClient(c Config) (*Client, error) {
	c = c.withDefaults()
	all, err := c.addresses()
	if err != nil {
		return nil, err
	}
	cl := &Client{cfg: c, up: make(chan struct{})}
	cl.calls.New = func() any { return &call{ready: make(chan struct{}, 1)} }
	cl.ctx, cl.cancel = context.WithCancel(context.Background())
	for _, a := range all {
		cl.servers = append(cl.servers, newServer(cl, a))
	}
	return cl, nil
}

// Close ends all connections and all calls: those under way fail with
// [ErrClosed], and those that were sent with [ErrLost] too. When it returns no
// goroutine of the client is left.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.tasks.Wait()
	return nil
}

// start runs f in a goroutine that Close waits for, unless the client is closed.
func (c *Client) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.tasks.Go(f)
	}
	return !c.closed
}

// Call calls a function and returns its result: the data of WORK_COMPLETE. What
// the worker says meanwhile (WORK_DATA, WORK_WARNING, WORK_STATUS) only
// [Client.Stream] shows. The payload is copied; the result is the caller's.
//
// It fails with an [*Error] that wraps one of: [ErrFailed], an [*Exception],
// [ErrQueueFull] or another [*ServerError], [ErrNoServer], [ErrLost],
// [ErrClosed], [ErrInvalid], or the error of a context that ended, at which Call
// returns at once; the job may go on, unheard.
func (c *Client) Call(ctx context.Context, function string, payload []byte, opts ...CallOption) ([]byte, error) {
	k := c.newCall("call", function, payload)
	defer c.release(k)
	for _, o := range opts {
		o(&k.opts)
	}
	if err := c.do(ctx, k); err != nil {
		return nil, err
	}
	return k.data, nil
}

// Submit sends a background job and returns its handle when the server has
// taken it: Gearbolt has it on disk then. Errors are those of [Client.Call].
func (c *Client) Submit(ctx context.Context, function string, payload []byte, opts ...CallOption) (Handle, error) {
	k := c.newCall("submit", function, payload)
	defer c.release(k)
	k.background = true
	for _, o := range opts {
		o(&k.opts)
	}
	if err := c.do(ctx, k); err != nil {
		return Handle{}, err
	}
	return Handle{Server: k.server, ID: k.handle}, nil
}

func (c *Client) newCall(op, function string, payload []byte) *call {
	k := c.calls.Get().(*call)
	k.op, k.function, k.payload = op, function, payload
	return k
}

// release gives a call back. It is in no session's tables, and its ready is
// empty.
func (c *Client) release(k *call) { *k = call{ready: k.ready}; c.calls.Put(k) }
