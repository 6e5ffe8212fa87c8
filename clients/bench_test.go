package clients

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
)

// StartFake is for the examples, which see the package from outside.
func StartFake() *fake { return startFake() }

// pair returns a client and a worker that answers "echo" with the payload.
func pair(t testing.TB, slots int) *Client {
	t.Helper()
	f := startFake()
	t.Cleanup(func() { f.Close() })
	w, err := NewWorker(f.config(), slots)
	if err != nil {
		t.Fatal(err)
	}
	w.Handle("echo", echo)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	c, err := NewClient(f.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// All sizes come back whole, around the sizes of buffers too.
func TestPayloadSizes(t *testing.T) {
	c := pair(t, 4)
	for _, size := range []int{0, 1, 100, readBuffer - 50, readBuffer, readBuffer + 1, 3*readBuffer + 7, writeChunk, outLimit, 5<<20 + 3} {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(i * 7)
		}
		if got, err := c.Call(bg, "echo", payload); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("%d bytes: %d came back, %v", size, len(got), err)
		}
	}
}

// Results belong to their callers: none is overwritten by what comes later.
func TestResultsAreTheCallers(t *testing.T) {
	c := pair(t, 4)
	var results [][]byte
	for i := range 200 {
		got, err := c.Call(bg, "echo", bytes.Repeat([]byte{byte(i)}, 100*i))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, got)
	}
	for i, got := range results {
		if !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, 100*i)) {
			t.Fatalf("result %d has changed", i)
		}
	}
}

// A call costs its result, its handle and little else.
func TestAllocations(t *testing.T) {
	calls := answerer(t)
	payload := make([]byte, 100)
	n := testing.AllocsPerRun(2000, func() {
		if _, err := calls.Call(bg, "f", payload); err != nil {
			t.Fatal(err)
		}
	})
	if n > 4 {
		t.Errorf("a call allocates %v times", n)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			calls := answerer(b)
			payload := make([]byte, 100)
			b.ReportAllocs()
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := calls.Call(bg, "f", payload); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// One handler panics for ever, others go on: nothing of it reaches the process.
func TestPanicsUnderLoad(t *testing.T) {
	f := startFake()
	defer f.Close()
	config := f.config()
	config.Logger = quiet
	w, err := NewWorker(config, 8)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	w.Handle("sometimes", sometimes(&n))
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fine := 0
	for range 100 {
		if _, err := c.Call(bg, "sometimes", nil); err == nil {
			fine++
		}
	}
	if fine != 50 {
		t.Errorf("%d of 100 calls came back, want 50", fine)
	}
}
