package router

import (
	"fmt"
	"testing"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A bench is a machine whose store commits at once.
type bench struct {
	*Machine
	now time.Time
}

func newBench() *bench {
	return &bench{New(noon, 1, Config{HandlePrefix: "H", PayloadMemory: 1 << 30}), noon}
}

// worker connects a worker for n functions, f0 and on.
func (b *bench) worker(n int) *Conn {
	c := b.Connect(Peer{})
	for i := range n {
		b.step(c, request(protocol.CanDo, fmt.Sprintf("f%d", i)))
	}
	return c
}

// step is a visit of the shell: a message, and all that follows from it.
func (b *bench) step(c *Conn, msg protocol.Message) {
	b.Step(b.now, c, msg)
	b.Sends()
	for b.Changes() != nil {
		b.Committed(b.now, nil)
		b.Sends()
	}
}

// finish completes the job that c runs. Handles differ from job to job, so the
// packet is made of the job's.
func (b *bench) finish(c *Conn, packet []byte) []byte {
	packet = append(b.jobs.appendHandle(packet[:0], b.jobs.at(c.holding.first)), "\x00result"...)
	b.step(c, protocol.Message{Magic: protocol.Req, Type: protocol.WorkComplete, Body: packet})
	return packet
}

var (
	grabJob  = request(protocol.GrabJob)
	preSleep = request(protocol.PreSleep)
)

// BenchmarkCall is a synchronous call: submitted, its worker woken, grabbed,
// completed, and the worker asleep again.
func BenchmarkCall(b *testing.B) {
	m := newBench()
	worker, client := m.worker(1), m.Connect(Peer{})
	submit := request(protocol.SubmitJob, "f0", "", "payload")
	m.step(worker, preSleep)
	var packet []byte
	b.ReportAllocs()
	for b.Loop() {
		m.step(client, submit)
		m.step(worker, grabJob)
		packet = m.finish(worker, packet)
		m.step(worker, grabJob)
		m.step(worker, preSleep)
	}
}

// BenchmarkBackground is a background submission, committed at once. The jobs
// stay, so that the machine grows.
func BenchmarkBackground(b *testing.B) {
	m := newBench()
	client := m.Connect(Peer{})
	submit := request(protocol.SubmitJobBG, "f0", "", "payload")
	b.ReportAllocs()
	for b.Loop() {
		m.step(client, submit)
	}
}

// BenchmarkGrab is GRAB_JOB by a worker with that many functions, of which one
// has jobs.
func BenchmarkGrab(b *testing.B) {
	for _, functions := range []int{10, 20_000} {
		b.Run(fmt.Sprintf("functions=%d", functions), func(b *testing.B) {
			m := newBench()
			worker, client := m.worker(functions), m.Connect(Peer{})
			submit := request(protocol.SubmitJob, "f7", "", "payload")
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

// BenchmarkSleepers is a call among a thousand workers that sleep.
func BenchmarkSleepers(b *testing.B) {
	m := newBench()
	var workers []*Conn
	for range 1000 {
		c := m.worker(1)
		m.step(c, preSleep)
		workers = append(workers, c)
	}
	client := m.Connect(Peer{})
	submit := request(protocol.SubmitJob, "f0", "", "payload")
	var packet []byte
	next := 0
	b.ReportAllocs()
	for b.Loop() {
		m.step(client, submit)
		worker := workers[next]
		if next = (next + 1) % len(workers); worker.sleep != woken {
			b.Fatal("the workers do not take turns")
		}
		m.step(worker, grabJob)
		packet = m.finish(worker, packet)
		m.step(worker, preSleep)
	}
}

// BenchmarkSleep is a worker that goes to sleep and looks for work, in vain.
func BenchmarkSleep(b *testing.B) {
	for _, functions := range []int{1, 20_000} {
		b.Run(fmt.Sprintf("functions=%d", functions), func(b *testing.B) {
			m := newBench()
			worker := m.worker(functions)
			b.ReportAllocs()
			for b.Loop() {
				m.step(worker, preSleep)
				m.step(worker, grabJob)
			}
		})
	}
}

// BenchmarkRestore is a job that comes back at a start.
func BenchmarkRestore(b *testing.B) {
	m := newBench()
	id := persist.JobID{Epoch: 1}
	b.ReportAllocs()
	for b.Loop() {
		id.Seq++
		m.Restore(persist.Change{Kind: persist.PutJob, Job: &persist.Job{ID: id, Prefix: "H", Function: "f0", Payload: []byte("payload"), Priority: persist.Normal}})
	}
}
