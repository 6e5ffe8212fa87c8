package device

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shared is memory that the test process and its servant both see: what the
// servant counts, and what it is to do.
type shared struct {
	entries atomic.Int64 // in the log
	bytes   atomic.Int64 // of the log

	counts [Faults]atomic.Int64 // what has been asked for, by fault
	first  [Faults]atomic.Int64 // the count at which it is to fail; 0: it is not
	last   [Faults]atomic.Int64 // and the one at which it is to fail last

	failures atomic.Int64 // how often something was made to fail
	failedAt atomic.Int64 // when first, as in an entry

	delay atomic.Int64 // of every flush, in nanoseconds
}

// mapShared maps the memory that f is.
func mapShared(f *os.File) (*shared, error) {
	size := int(unsafe.Sizeof(shared{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return (*shared)(unsafe.Pointer(unsafe.SliceData(b))), nil
}

// unmap undoes mapShared.
func (s *shared) unmap() error {
	return unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(s)), unsafe.Sizeof(*s)))
}

// fails counts one more of what f is about and reports whether it is to fail.
func (s *shared) fails(f Fault) bool {
	n := s.counts[f].Add(1)
	first := s.first[f].Load()
	if first == 0 || n < first || n > s.last[f].Load() {
		return false
	}
	if s.failures.Add(1) == 1 {
		s.failedAt.Store(int64(monotonic()))
	}
	return true
}

// monotonic is the kernel's clock that all processes have in common and nobody
// sets.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // there is no Linux without it
	}
	return time.Duration(ts.Nano())
}
