package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	mclient "github.com/mikespook/gearman-go/client"
	mworker "github.com/mikespook/gearman-go/worker"

	"gearbolt/clients"
)

// Our client, and a worker of github.com/mikespook/gearman-go. Its jobs run one
// by one: what it says while several run is garbled.
func TestMikespookWorker(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		w := mworker.New(mworker.OneByOne)
		w.ErrorHandler = func(error) {}
		if err := w.AddServer("tcp4", b.server.Addr); err != nil {
			t.Fatal(err)
		}
		add := func(name string, f mworker.JobFunc) {
			if err := w.AddFunc(name, f, 0); err != nil {
				t.Fatal(err)
			}
		}
		add("reverse", func(job mworker.Job) ([]byte, error) { return reversed(job.Data()), nil })
		add("fail", func(mworker.Job) ([]byte, error) { return nil, errors.New("no") })
		add("raise", func(mworker.Job) ([]byte, error) { return []byte("boom"), errors.New("boom") })
		if err := w.Ready(); err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		go func() { w.Work(); close(over) }()
		t.Cleanup(func() { w.Close(); b.server.Kill(); <-over })
		callMikespook(t, b)
	})
}

func callMikespook(t *testing.T, b *bench) {
	c := b.client()
	var calls sync.WaitGroup
	for i := range 200 {
		calls.Go(func() {
			payload := bytes.Repeat([]byte{byte(i)}, 10*i)
			if got, err := c.Call(b.ctx, "reverse", payload); err != nil || !bytes.Equal(got, reversed(payload)) {
				t.Errorf("%d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	calls.Wait()
	if _, err := c.Call(b.ctx, "fail", nil); !errors.Is(err, clients.ErrFailed) {
		t.Error(err)
	}
	_, err := c.Call(b.ctx, "raise", nil)
	if e := new(clients.Exception); !errors.As(err, &e) || string(e.Data) != "boom" {
		t.Error(err)
	}
}

// The client of github.com/mikespook/gearman-go, and our worker.
func TestMikespookClient(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bench) {
		b.worker(8, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
			return reversed(job.Payload), errors.Join(job.Data([]byte("part")), job.Progress(1, 2))
		})
		c, err := mclient.New("tcp4", b.server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.ErrorHandler = func(error) {}
		c.ResponseTimeout = patience
		answers := make(chan string, 1000)
		for i := range 100 {
			if _, err := c.Do("f", fmt.Appendf(nil, "%03d", i), mclient.JobNormal, func(r *mclient.Response) {
				answers <- string(r.Data)
			}); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]int{}
		for range 300 { // a part, a status and a result for each
			select {
			case a := <-answers:
				got[a]++
			case <-time.After(patience):
				t.Fatalf("%d answers of 300", len(got))
			}
		}
		for i := range 100 {
			if want := string(reversed(fmt.Appendf(nil, "%03d", i))); got[want] != 1 {
				t.Errorf("%d results %q", got[want], want)
			}
		}
		if got["part"] != 100 {
			t.Errorf("%d parts", got["part"])
		}
	})
}
