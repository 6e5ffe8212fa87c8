package library

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	mclient "github.com/mikespook/gearman-go/client"

	"gearbolt/clients"
)

// BenchmarkCall measures one connection with 1, 16 and 256 concurrent calls of
// 100 bytes, and a worker of this library that answers them.
//
//	go test -bench . -run '^$' ./integration/library
func BenchmarkCall(b *testing.B) {
	for _, server := range servers {
		for _, callers := range []int{1, 16, 256} {
			for _, library := range []string{"parked", "woken", "mikespook"} {
				b.Run(fmt.Sprintf("%s/%s/%d", server, library, callers), func(b *testing.B) {
					benchCalls(b, server, library, callers)
				})
			}
		}
	}
}

func benchCalls(b *testing.B, server, library string, callers int) {
	on := newBench(b, server)
	config := on.config()
	config.NoParkedGrabs = library != "parked"
	newWorker(b, config, callers, "reverse", reverse)
	call := ourCall(on)
	if library == "mikespook" {
		call = theirCall(on)
	}
	call()
	b.ReportAllocs()
	b.ResetTimer()
	took := make([][]time.Duration, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range (b.N + i) / callers {
				began := time.Now()
				call()
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	reportLatency(b, slices.Concat(took...))
}

// reportLatency reports how long a call took, beside how many there were.
func reportLatency(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

var benchPayload = make([]byte, 100)

func ourCall(on *bench) func() {
	c := newClient(on.t, clients.Config{Servers: []string{on.server.Addr}})
	return func() {
		if _, err := c.Call(on.ctx, "reverse", benchPayload); err != nil {
			on.t.Error(err)
		}
	}
}

func theirCall(on *bench) func() {
	c, err := mclient.New("tcp4", on.server.Addr)
	if err != nil {
		on.t.Fatal(err)
	}
	on.t.Cleanup(func() { c.Close() })
	return func() {
		done := make(chan struct{})
		if _, err := c.Do("reverse", benchPayload, mclient.JobNormal, func(*mclient.Response) { close(done) }); err != nil {
			on.t.Error(err)
			return
		}
		<-done
	}
}
