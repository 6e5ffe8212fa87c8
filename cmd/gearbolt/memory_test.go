package main

import (
	"math"
	"testing"
	"testing/fstest"

	"gearbolt/conf"
)

func TestAvailableMemory(t *testing.T) {
	meminfo := "MemTotal:        1048576 kB\nMemFree: 5 kB\n"
	for name, c := range map[string]struct {
		files   map[string]string
		goLimit int64
		want    int64
		from    string
	}{
		"nothing is known": {nil, math.MaxInt64, math.MaxInt64, "the machine's memory"},
		"no groups":        {map[string]string{"proc/meminfo": meminfo}, math.MaxInt64, 1 << 30, "the machine's memory"},
		"GOMEMLIMIT":       {map[string]string{"proc/meminfo": meminfo}, 99 << 20, 99 << 20, "GOMEMLIMIT"},
		"version 2, the group around": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/b.service/memory.max": "max\n",
			"sys/fs/cgroup/a.slice/memory.max":           "268435456\n",
		}, math.MaxInt64, 256 << 20, "the cgroup's limit"},
		"version 2, throttled": {map[string]string{
			"proc/self/cgroup": "0::/b\n", "sys/fs/cgroup/b/memory.max": "268435456\n", "sys/fs/cgroup/b/memory.high": "134217728\n",
		}, math.MaxInt64, 128 << 20, "the cgroup's limit"},
		"version 1 beside an empty version 2": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu,memory:/x/y\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":     "9223372036854771712\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes":   "536870912\n",
			"sys/fs/cgroup/memory/x/y/memory.limit_in_bytes": "9223372036854771712\n",
		}, math.MaxInt64, 512 << 20, "the cgroup's limit"},
		"version 1 in a container that sees itself at the root": {map[string]string{
			"proc/self/cgroup": "5:memory:/docker/0123\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
		}, math.MaxInt64, 512 << 20, "the cgroup's limit"},
		"files that make no sense": {map[string]string{
			"proc/meminfo": "MemTotal: much\n", "proc/self/cgroup": "5\n:::\n0::/a\n", "sys/fs/cgroup/a/memory.max": "-5\n",
		}, math.MaxInt64, math.MaxInt64, "the machine's memory"},
	} {
		system := fstest.MapFS{}
		for path, text := range c.files {
			system[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got, from := availableMemory(system, c.goLimit); got != c.want || from != c.from {
			t.Errorf("%s: got %d, %s, want %d, %s", name, got, from, c.want, c.from)
		}
	}
}

func TestBudget(t *testing.T) {
	of := func(memory int64, args ...string) budget {
		t.Helper()
		inv, err := conf.Parse(conf.Process{Args: append([]string{"gearbolt"}, args...), Root: true})
		if err != nil {
			t.Fatal(err)
		}
		return budgetOf(inv, memory)
	}
	const mib = 1 << 20
	small, large := of(256*mib), of(64<<30)
	if want := (budget{32 * mib, 64 * mib, 32 * mib, 32 * mib, 8 * mib, 16 * mib}); small != want {
		t.Errorf("of 256 MiB: %v, want %v", small, want)
	}
	if want := (budget{256 * mib, 16 << 30, 8 << 30, 8 << 30, 64 * mib, 64 * mib}); large != want {
		t.Errorf("of 64 GiB: %v, want %v", large, want)
	}
	for _, memory := range []int64{0, 1, 4096} { // GOMEMLIMIT can say so
		if b := of(memory); min(b.payloads, b.queue, b.outboxes, b.reads, b.commits, b.packet) < mib/4 {
			t.Errorf("of %d bytes: %v", memory, b)
		}
	}
	if small.total() > 256*mib*2/3 {
		t.Errorf("%d of 256 MiB leave too little", small.total()/mib)
	}
	set := of(256*mib, "--payload-memory=99MiB", "--packet-limit=64MiB", "--queue-memory=1GiB", "--commit-memory=1MiB")
	if want := (budget{99 * mib, 1 << 30, 64 * mib, 64 * mib, mib, 64 * mib}); set != want {
		t.Errorf("as it was set: %v, want %v", set, want)
	}
}
