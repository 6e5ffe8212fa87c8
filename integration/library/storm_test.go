package library

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/clients"
	"gearbolt/integration/harness"
)

const (
	callers      = 10_000
	callsOfEach  = 6
	killsOfStorm = 5
)

// A tally is what became of the calls of a storm.
type tally struct{ done, lost, noServer, wrong atomic.Int64 }

func (n *tally) all() int64 {
	return n.done.Load() + n.lost.Load() + n.noServer.Load() + n.wrong.Load()
}

// await waits for more results, or for the end of all calls.
func (n *tally) await(t *testing.T, more int64) {
	t.Helper()
	before := n.done.Load()
	harness.Await(t, "calls succeed", func() bool { return n.done.Load() >= before+more || n.all() == callers*callsOfEach })
}

// 10,000 concurrent calls over one connection, while the server is killed and
// started again: each ends, in its own result or in an error that says what is
// known, and none of those that were sent once runs twice.
func TestStorm(t *testing.T) {
	for _, name := range servers {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name)
			dir := t.TempDir()
			var n tally
			runs := make([]atomic.Int32, callers*callsOfEach)
			b.worker(64, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
				var i int
				if _, err := fmt.Sscan(string(job.Payload), &i); err != nil {
					return nil, err
				}
				runs[i].Add(1)
				return reversed(job.Payload), nil
			})
			c := b.client()
			done := storm(t, b, c, &n)
			for range killsOfStorm {
				n.await(t, 4000)
				b.server.Kill()
				harness.Await(t, "a call says that there is no server", func() bool {
					_, err := c.Call(b.ctx, "f", []byte("-"))
					return errors.Is(err, clients.ErrNoServer)
				})
				b.server = launch(t, name, b.server.Addr, dir)
			}
			<-done
			t.Logf("%d results, %d lost, %d not sent", n.done.Load(), n.lost.Load(), n.noServer.Load())
			if n.wrong.Load() > 0 || n.all() != int64(len(runs)) || n.lost.Load() == 0 {
				t.Errorf("%d wrong, %d of %d in all", n.wrong.Load(), n.all(), len(runs))
			}
			for i := range runs {
				if runs[i].Load() > 1 {
					t.Errorf("call %d ran %d times", i, runs[i].Load())
				}
			}
		})
	}
}

// storm starts the callers; what it returns is closed when all calls are over.
func storm(t *testing.T, b *bench, c *clients.Client, n *tally) <-chan struct{} {
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for j := range callsOfEach {
				payload := []byte(fmt.Sprint(i*callsOfEach + j))
				var opts []clients.CallOption
				if i%2 == 0 {
					opts = append(opts, clients.WaitForServer())
				}
				got, err := c.Call(b.ctx, "f", payload, opts...)
				n.count(t, payload, got, err, i%2 == 0)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	return done
}

func (n *tally) count(t *testing.T, payload, got []byte, err error, waits bool) {
	var e *clients.Error
	errors.As(err, &e)
	switch {
	case err == nil && string(got) == string(reversed(payload)):
		n.done.Add(1)
	case errors.Is(err, clients.ErrLost) && e.Sent:
		n.lost.Add(1)
	case errors.Is(err, clients.ErrNoServer) && !e.Sent && !waits:
		n.noServer.Add(1)
		time.Sleep(10 * time.Millisecond) // as a program would, before its next call
	default:
		n.wrong.Add(1)
		t.Errorf("%s: %q, %v", payload, got, err)
	}
}
