package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/clients"
	"gearbolt/integration/harness"
)

func TestCall(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		b.worker(4, "reverse", reverse)
		c := b.client()
		for _, payload := range []string{"", "hello", "a\x00b", strings.Repeat("xyz", 100_000)} {
			if got := b.call(c, "reverse", payload); got != string(reversed([]byte(payload))) {
				t.Errorf("%.20q: %.20q", payload, got)
			}
		}
	})
}

func TestLargePayload(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		b.worker(1, "reverse", reverse)
		payload := bytes.Repeat([]byte("0123456789abcdef"), 20<<20/16)
		got, err := b.client().Call(b.ctx, "reverse", payload)
		if err != nil || !bytes.Equal(got, reversed(payload)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func TestFailures(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		b.worker(4, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
			switch string(job.Payload) {
			case "fail":
				return nil, clients.ErrFailed
			case "panic":
				panic("oh")
			}
			return nil, errors.New(string(job.Payload))
		})
		c := b.client()
		if _, err := c.Call(b.ctx, "f", []byte("fail")); !errors.Is(err, clients.ErrFailed) {
			t.Error(err)
		}
		for payload, want := range map[string]string{"panic": "panic: oh", "no disk": "no disk"} {
			_, err := c.Call(b.ctx, "f", []byte(payload))
			if e := new(clients.Exception); !errors.As(err, &e) || string(e.Data) != want {
				t.Errorf("%s: %v", payload, err)
			}
		}
	})
}

func TestStream(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		b.worker(1, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
			return []byte("done"), errors.Join(job.Progress(1, 3), job.Data([]byte("a\x00b")), job.Warning([]byte("careful")), job.Data(nil))
		})
		var got []string
		for e, err := range b.client().Stream(b.ctx, "f", nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, show(e))
		}
		want := []string{"created", "1/3", "data a\x00b", "warning careful", "data ", "complete done"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// Four streams of one job on one connection each hear everything once.
func TestCoalescing(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		var runs atomic.Int32
		go4, began := make(chan struct{}), make(chan struct{}, 9)
		b.worker(4, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
			runs.Add(1)
			began <- struct{}{}
			<-go4
			return []byte("done"), errors.Join(job.Data([]byte("one")), job.Data([]byte("two")))
		})
		c := b.client()
		var joined, all sync.WaitGroup
		for range 4 {
			joined.Add(1)
			all.Go(func() {
				var got []string
				for e, err := range c.Stream(b.ctx, "f", []byte("x"), clients.Unique("u")) {
					if got = append(got, show(e)); err != nil {
						t.Error(err)
					} else if e.Kind == clients.Created {
						joined.Done()
					}
				}
				if !slices.Equal(got, []string{"created", "data one", "data two", "complete done"}) {
					t.Errorf("%q", got)
				}
			})
		}
		<-began
		joined.Wait()
		if st, err := c.StatusUnique(b.ctx, "u"); err != nil || !st.Known || !st.Running || st.Waiting != 4 {
			t.Errorf("%+v, %v", st, err)
		}
		close(go4)
		if all.Wait(); runs.Load() != 1 {
			t.Errorf("it ran %d times", runs.Load())
		}
	})
}

func TestBackgroundAndStatus(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c, g := b.client(), newGate()
		h, err := c.Submit(b.ctx, "f", []byte("x"), clients.Unique("u"))
		if err != nil || h.Server != b.server.Addr || h.ID == "" {
			t.Fatalf("%+v, %v", h, err)
		}
		if st, err := c.Status(b.ctx, h); err != nil || st != (clients.Status{Known: true}) {
			t.Errorf("%+v, %v", st, err)
		}
		b.worker(1, "f", g.handle)
		job := <-g.began
		if job.Unique != "u" || string(job.Payload) != "x" || job.Handle != h {
			t.Errorf("%+v", job)
		}
		job.Progress(3, 10)
		harness.Await(t, "the status is 3 of 10", func() bool {
			st, err := c.Status(b.ctx, h)
			return err == nil && st == clients.Status{Known: true, Running: true, Numerator: 3, Denominator: 10}
		})
		close(g.open)
		harness.Await(t, "the job is over", func() bool {
			st, err := c.Status(b.ctx, h)
			return err == nil && !st.Known
		})
	})
}

func TestPriorities(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c := b.client()
		for _, l := range []clients.Level{clients.Low, clients.Normal, clients.High} {
			if _, err := c.Submit(b.ctx, "f", []byte{'0' + byte(l)}, clients.Priority(l)); err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan string, 3)
		b.worker(1, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
			got <- string(job.Payload)
			return nil, nil
		})
		if order := <-got + <-got + <-got; order != "102" {
			t.Errorf("the order is %s: normal is 0, high 1, low 2", order)
		}
	})
}

func TestStartTimeAndReducer(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c, g := b.client(), newGate()
		close(g.open)
		b.worker(1, "f", g.handle)
		if got := b.call(c, "f", "now", clients.Reducer("sum")); got != "did now" {
			t.Error(got)
		}
		if job := <-g.began; job.Reducer != "sum" {
			t.Errorf("%+v", job)
		}
		due := time.Now().Add(2 * time.Second).Truncate(time.Second)
		if _, err := c.Submit(b.ctx, "f", []byte("later"), clients.At(due)); err != nil {
			t.Fatal(err)
		}
		for b.server.Name == "gearmand" && time.Now().Before(due.Add(patience)) {
			time.Sleep(100 * time.Millisecond) // gearmand looks at the time when something happens
			if b.call(c, "f", "nudge"); string((<-g.began).Payload) == "later" {
				return
			}
		}
		if job := <-g.began; time.Now().Before(due) {
			t.Errorf("%q ran before its time", job.Payload)
		}
	})
}

func TestQueueFull(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c := b.client()
		if _, err := c.Submit(b.ctx, "f", nil); err != nil {
			t.Fatal(err)
		}
		if got := b.admin("maxqueue f 1"); got != "OK" {
			t.Fatal(got)
		}
		_, err := c.Submit(b.ctx, "f", nil)
		if e := new(clients.Error); !errors.Is(err, clients.ErrQueueFull) || !errors.As(err, &e) || e.Sent {
			t.Errorf("%v", err)
		}
	})
}

// What a worker does with its grabs is the server's choice.
func TestParkedGrabs(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		var log bytes.Buffer
		config := b.config()
		config.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w := newWorker(t, config, 3, "f", reverse)
		for range 10 {
			b.call(b.client(), "f", "abc")
		}
		if err := w.Shutdown(b.ctx); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("parked grabs\"=%v", b.server.Name == "gearbolt")
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, &log)
		}
	})
}

func TestShutdownFinishesWhatRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c, g := b.client(), newGate()
		w := b.worker(2, "f", g.handle)
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() {
				if got := b.call(c, "f", "x"); got != "did x" {
					t.Error(got)
				}
			})
			<-g.began
		}
		over := make(chan error)
		go func() { over <- w.Shutdown(b.ctx) }()
		harness.Await(t, "the worker takes no more jobs", func() bool { return errors.Is(w.Start(), clients.ErrClosed) })
		third, err := c.Submit(b.ctx, "f", []byte("third"))
		if err != nil {
			t.Fatal(err)
		}
		close(g.open)
		calls.Wait()
		if err := <-over; err != nil {
			t.Error(err)
		}
		if st, err := c.Status(b.ctx, third); err != nil || !st.Known || st.Running {
			t.Errorf("the third job: %+v, %v", st, err)
		}
	})
}

// Close gives running jobs to other workers.
func TestCloseGivesJobsAway(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c, g := b.client(), newGate()
		w := b.worker(1, "f", g.handle)
		done := make(chan string)
		go func() { done <- b.call(c, "f", "cba") }()
		<-g.began
		w.Close()
		b.worker(1, "f", reverse)
		if got := <-done; got != "abc" {
			t.Error(got)
		}
	})
}

func TestCancelledCalls(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		c, g := b.client(), newGate()
		b.worker(1, "f", g.handle)
		ctx, cancel := context.WithCancel(b.ctx)
		gone := make(chan error)
		go func() { _, err := c.Call(ctx, "f", []byte("1")); gone <- err }()
		<-g.began
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(g.open)
		if got := b.call(c, "f", "2"); got != "did 2" {
			t.Error(got)
		}
	})
}

func TestJobTimeout(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		var runs atomic.Int32
		b.worker(1, "f", func(ctx context.Context, job *clients.Job) ([]byte, error) {
			if runs.Add(1) > 1 {
				return []byte("again"), nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}, clients.Timeout(time.Second))
		got, err := b.client().Call(b.ctx, "f", nil)
		e := new(clients.Exception) // which of the two clocks is first decides
		if string(got) != "again" && !errors.As(err, &e) {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestTyped(t *testing.T) {
	type point struct{ X, Y int }
	double := clients.Function[point, []point]{Name: "double"}
	onBoth(t, func(t *testing.T, b *bench) {
		w, err := clients.NewWorker(b.config(), 1)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		double.Handle(w, func(_ context.Context, _ *clients.Job, p point) ([]point, error) { return []point{p, p}, nil })
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		c := b.client()
		if got, err := double.Call(b.ctx, c, point{1, 2}); err != nil || !slices.Equal(got, []point{{1, 2}, {1, 2}}) {
			t.Errorf("%v, %v", got, err)
		}
		_, err = c.Call(b.ctx, "double", []byte("no JSON"))
		if e := new(clients.Exception); !errors.As(err, &e) {
			t.Error(err)
		}
	})
}
