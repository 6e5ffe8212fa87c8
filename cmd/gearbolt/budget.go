package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"

	"go.uber.org/zap"

	"gearbolt/conf"
)

// A budget divides the memory of the process among what peers can make it
// hold, in bytes. Together the shares are six tenths of it at most: the rest is
// for what is copied on its way from one to the other, for the store's
// transactions, and for what the garbage collector has not taken yet.
type budget struct {
	payloads, queue, outboxes, reads, commits, packet int64
}

// The shares, as divisors of the memory, and what needs no more on a large
// machine.
const (
	payloadShare = 8
	queueShare   = 4
	outboxShare  = 8
	readShare    = 8
	commitShare  = 32
	packetShare  = 16

	mostCommits = 64 << 20

	// leastMemory is what is divided where there is less: a share of nothing
	// would be no limit at all. A warning says that it is not there.
	leastMemory = 16 << 20
)

// budgetOf divides memory, but for what the operator has set. The defaults of
// payload-memory and packet-limit are what they are where there is memory for
// them.
func budgetOf(inv *conf.Invocation, memory int64) budget {
	s := &inv.Settings
	memory = max(memory, leastMemory)
	unlessSet := func(name string, value, share int64) int64 {
		if inv.Origins[name] != "default" {
			return value
		}
		return min(value, share)
	}
	unlessZero := func(value, share int64) int64 {
		if value != 0 {
			return value
		}
		return share
	}
	b := budget{
		payloads: unlessSet("payload-memory", s.PayloadMemory, memory/payloadShare),
		packet:   unlessSet("packet-limit", s.PacketLimit, memory/packetShare),
		queue:    unlessZero(s.QueueMemory, memory/queueShare),
		commits:  unlessZero(s.CommitMemory, min(memory/commitShare, mostCommits)),
	}
	b.outboxes = unlessZero(s.OutboxMemory, max(memory/outboxShare, b.packet))
	b.reads = unlessZero(s.ReadMemory, max(memory/readShare, b.packet))
	return b
}

// heapShare is how much of the memory the Go runtime is to keep to, in
// percent; what it does not count, such as the store's pages in the kernel's
// cache, has the rest.
const heapShare = 80

// allowMemory finds out how much memory there is, and has the garbage
// collector respect it. An operator's GOMEMLIMIT stays as it is.
func (i *instance) allowMemory() error {
	goLimit := debug.SetMemoryLimit(-1)
	i.memory, i.memoryFrom = availableMemory(os.DirFS("/"), goLimit)
	if n := i.inv.Settings.MemoryLimit; n > 0 {
		i.memory, i.memoryFrom = n, i.inv.Origins["memory-limit"]
	}
	if goLimit == math.MaxInt64 && i.memory < math.MaxInt64 {
		debug.SetMemoryLimit(i.memory / 100 * heapShare)
	}
	if b := budgetOf(i.inv, i.memory); b.packet > b.reads || b.packet > b.outboxes || b.total() > i.memory/100*heapShare {
		i.warnings = append(i.warnings, fmt.Sprintf("the limits on memory amount to %d MiB, and there are %d (%s)",
			b.total()>>20, i.memory>>20, i.memoryFrom))
	}
	return nil
}

func (b budget) total() int64 { return b.payloads + b.queue + b.outboxes + b.reads + b.commits }

// announceMemory says what the budget is.
func (i *instance) announceMemory() {
	b := budgetOf(i.inv, i.memory)
	mib := func(n int64) float64 { return math.Round(float64(n)/(1<<20)*10) / 10 }
	i.log.Info("memory in MiB", zap.Float64("in all", mib(i.memory)), zap.String("from", i.memoryFrom),
		zap.Float64("queue", mib(b.queue)), zap.Float64("payloads", mib(b.payloads)), zap.Float64("outboxes", mib(b.outboxes)),
		zap.Float64("reads", mib(b.reads)), zap.Float64("commits", mib(b.commits)), zap.Float64("packet", mib(b.packet)))
}
