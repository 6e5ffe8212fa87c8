package server

import (
	"syscall"
	"unsafe"
)

// The sockets do not block, so a read or write of a few kilobytes takes some
// microseconds at most. Such a call is not announced to the scheduler: that
// would wake its monitor thread, which then looks every 20 µs whether the call
// has got stuck, and costs a tenth of the processor time of a call through an
// otherwise idle server.
//
// The monitor is needed all the same by a program that is busy: without it
// nobody looks at the network for a goroutine that always finds something to
// do. So calls that move much, and the reads of a connection that never waits,
// are announced.

// quickBytes is how many bytes a system call that is not announced may move.
const quickBytes = 16 << 10

// quickReads is how many reads of a connection in a row are not announced.
const quickReads = 8

// readNow is read(2) on a socket that does not block; before is how many reads
// went before it since one found nothing.
func readNow(fd uintptr, b []byte, before int) (int, error) {
	if before >= quickReads || len(b) > quickBytes {
		return syscall.Read(int(fd), b)
	}
	return quick(syscall.SYS_READ, fd, b)
}

// writeNow is write(2) on a socket that does not block.
func writeNow(fd uintptr, b []byte) (int, error) {
	if len(b) > quickBytes {
		return syscall.Write(int(fd), b)
	}
	return quick(syscall.SYS_WRITE, fd, b)
}

func quick(trap, fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
