package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// setFileDescriptors allows the process n file descriptors, or as many as its
// user may have if n is 0, and returns how many that is. The Go runtime has
// raised the soft limit to the hard one already.
func setFileDescriptors(n int) (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	if n == 0 {
		return int(limit.Cur), nil
	}
	want := unix.Rlimit{Cur: uint64(n), Max: max(limit.Max, uint64(n))}
	err := unix.Setrlimit(unix.RLIMIT_NOFILE, &want)
	if errors.Is(err, unix.EPERM) {
		return 0, fmt.Errorf("is more than this user may have, %d; give less or raise the user's limit", limit.Max)
	}
	return n, err
}

// ownDescriptors are what the process needs beside its connections: the store,
// the log, listeners, and some to spare for a moment.
const ownDescriptors = 48

// maxConnections is the setting, or what the descriptors allow.
func maxConnections(setting, descriptors int) int {
	room := max(descriptors-ownDescriptors, 1)
	if setting == 0 {
		return room
	}
	return min(setting, room)
}
