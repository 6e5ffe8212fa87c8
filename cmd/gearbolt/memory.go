package main

import (
	"bytes"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// How much memory the process may take is what bounds its queues and buffers:
// a server that is killed for its memory refuses nobody in words. The least of
// these counts: GOMEMLIMIT, the limit of every control group that the process
// is in, and the machine's memory.

// availableMemory returns how many bytes of memory there are for the process,
// and who says so. system is the root of the file system; goLimit what
// debug.SetMemoryLimit knows, math.MaxInt64 for nothing.
func availableMemory(system fs.FS, goLimit int64) (n int64, from string) {
	n, from = machineMemory(system), "the machine's memory"
	if limit := cgroupMemory(system); limit < n {
		n, from = limit, "the cgroup's limit"
	}
	if goLimit < n {
		n, from = goLimit, "GOMEMLIMIT"
	}
	return n, from
}

// machineMemory is the machine's memory (proc(5), /proc/meminfo).
func machineMemory(system fs.FS) int64 {
	text, err := fs.ReadFile(system, "proc/meminfo")
	if err != nil {
		return math.MaxInt64
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "MemTotal:" {
			if kib, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return math.MaxInt64
}

// cgroupMemory is the least limit of the control groups that the process is
// in (cgroups(7), /proc/self/cgroup). A container may see itself at the root of
// the hierarchy while the file names its place outside: then the root's limit
// is what is to be had.
func cgroupMemory(system fs.FS) int64 {
	least := int64(math.MaxInt64)
	text, err := fs.ReadFile(system, "proc/self/cgroup")
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 {
			continue
		}
		switch {
		case f[1] == "": // version 2
			for _, mount := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"} {
				least = min(least, groupsMemory(system, mount, f[2], "memory.max"), groupsMemory(system, mount, f[2], "memory.high"))
			}
		case strings.Contains(","+f[1]+",", ",memory,"): // version 1
			least = min(least, groupsMemory(system, "sys/fs/cgroup/memory", f[2], "memory.limit_in_bytes"))
		}
	}
	return least
}

// groupsMemory is the least that file says in the group and those around it.
func groupsMemory(system fs.FS, mount, group, file string) int64 {
	least := int64(math.MaxInt64)
	for at := path.Clean("/" + group); ; at = path.Dir(at) {
		if text, err := fs.ReadFile(system, path.Join(mount, at, file)); err == nil {
			if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 {
				least = min(least, n)
			}
		}
		if at == "/" {
			return least
		}
	}
}
