package router

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"gearbolt/protocol"
)

// The benchmarks of this file are about what must not grow: costs with the
// number of jobs, functions and shared unique ids, and memory with the past.

// liveHeap is how many bytes live in the heap.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// fill queues n background jobs, each with a unique id of its own if unique is
// one for fmt.
func (b *bench) fill(n int, unique string, payload string) {
	c := b.Connect(Peer{})
	for i := range n {
		id := ""
		if unique != "" {
			id = fmt.Sprintf(unique, i)
		}
		b.step(c, request(protocol.SubmitJobBG, "f0", id, payload))
	}
}

// drain does all jobs.
func (b *bench) drain(worker *Conn) {
	var packet []byte
	for b.Jobs() > 0 {
		b.step(worker, grabJob)
		for _, f := range b.Fetches() {
			b.Fetched(b.now, f, nil, true)
		}
		packet = b.finish(worker, packet)
	}
}

// BenchmarkJobMemory is what a queued job takes beside its payload, and what is
// left of it after a drain.
func BenchmarkJobMemory(b *testing.B) {
	const jobs, size = 200_000, 100
	for _, c := range []struct {
		name, unique string
		payloads     int64 // bytes kept in memory
	}{
		{"plain", "", 1 << 30},
		{"unique", "3d1a1f6e-5b1c-4f7e-9d5c-%012d", 1 << 30},
		{"stored", "", 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			var queued, left int64
			for b.Loop() {
				m := newBench()
				m.cfg.PayloadMemory = c.payloads
				worker := m.worker(1)
				before := liveHeap()
				m.fill(jobs, c.unique, strings.Repeat("x", size))
				queued = liveHeap() - before - m.payloadBytes
				m.drain(worker)
				left = liveHeap() - before
				runtime.KeepAlive(m)
			}
			b.ReportMetric(float64(queued)/jobs, "bytes/job")
			b.ReportMetric(float64(left)/jobs, "bytes/job-drained")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkWaiting is a background job from submission to its end, while that
// many others wait.
func BenchmarkWaiting(b *testing.B) {
	for _, jobs := range []int{1000, 5_000_000} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			if jobs > 1000 && testing.Short() {
				b.Skip("takes a gigabyte of memory; without -short")
			}
			m := newBench()
			m.fill(jobs, "", strings.Repeat("x", 100))
			worker, client := m.worker(1), m.Connect(Peer{})
			submit := request(protocol.SubmitJobBG, "f0", "", strings.Repeat("x", 100))
			runtime.GC()
			var packet []byte
			b.ReportAllocs()
			for b.Loop() {
				m.step(client, submit)
				m.step(worker, grabJob)
				packet = m.finish(worker, packet)
			}
		})
	}
}

// distinct makes of a submission one with another unique id, which must end in
// digits, each time.
func distinct(msg *protocol.Message, function string) {
	for at := bytes.IndexByte(msg.Body[len(function)+1:], 0) + len(function); ; at-- {
		if msg.Body[at]++; msg.Body[at] <= '9' {
			return
		}
		msg.Body[at] = '0'
	}
}

// BenchmarkWaitingUnique is a background job with a unique id of its own, from
// submission to its end, while that many others wait. A commit takes 64 of them.
func BenchmarkWaitingUnique(b *testing.B) {
	const unique, commit = "3d1a1f6e-5b1c-4f7e-9d5c-%012d", 64
	for _, jobs := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			m := newBench()
			m.fill(jobs, unique, strings.Repeat("x", 100))
			worker, client := m.worker(1), m.Connect(Peer{})
			submit := request(protocol.SubmitJobBG, "f0", fmt.Sprintf(unique, 500_000_000_000), strings.Repeat("x", 100))
			runtime.GC()
			var packet []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				distinct(&submit, "f0")
				m.Step(m.now, client, submit)
				if m.Step(m.now, worker, grabJob); i%commit == 0 {
					m.Changes()
					m.Committed(m.now, nil)
				}
				packet = append(m.jobs.appendHandle(packet[:0], m.jobs.at(worker.holding.first)), "\x00result"...)
				m.Step(m.now, worker, protocol.Message{Magic: protocol.Req, Type: protocol.WorkComplete, Body: packet})
				m.Sends()
			}
		})
	}
}

// BenchmarkSharedUnique is a submission that joins a job, among that many
// functions that have one with the same unique id, and a look at it.
func BenchmarkSharedUnique(b *testing.B) {
	for _, functions := range []int{1, 20_000} {
		b.Run(fmt.Sprintf("functions=%d", functions), func(b *testing.B) {
			m := newBench()
			client := m.Connect(Peer{})
			for i := range functions {
				m.step(client, request(protocol.SubmitJobBG, fmt.Sprintf("f%d", i), "shared", "payload"))
			}
			submit := request(protocol.SubmitJobBG, "f0", "shared", "payload")
			status := request(protocol.GetStatusUnique, "shared")
			b.ReportAllocs()
			for b.Loop() {
				m.step(client, submit)
				m.step(client, status)
			}
		})
	}
}

// BenchmarkCanDo is the registration of one function of 20,000, by a worker
// that connects again with all of them and finds them known.
func BenchmarkCanDo(b *testing.B) {
	const functions = 20_000
	m := newBench()
	m.worker(functions)
	var packets []protocol.Message
	for i := range functions {
		packets = append(packets, request(protocol.CanDo, fmt.Sprintf("f%d", i)))
	}
	i, worker := 0, m.Connect(Peer{})
	b.ReportAllocs()
	for b.Loop() {
		if i == functions {
			i = 0
			m.Disconnect(m.now, worker)
			worker = m.Connect(Peer{})
		}
		m.step(worker, packets[i])
		i++
	}
}

// BenchmarkLostClient is the end of a client for each job that it waits for.
func BenchmarkLostClient(b *testing.B) {
	const jobs = 100_000
	submit := request(protocol.SubmitJob, "f0", "", "payload")
	for b.Loop() {
		b.StopTimer()
		m := newBench()
		client := m.Connect(Peer{})
		for range jobs {
			m.step(client, submit)
		}
		b.StartTimer()
		m.Disconnect(m.now, client)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/jobs, "ns/job")
}
