package device

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Tmpfs mounts a file system in memory that holds size bytes.
func Tmpfs(size int64) (*Mount, error) {
	dir, err := mountPoint()
	if err != nil {
		return nil, err
	}
	if err := unix.Mount("gearbolt-device", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		os.Remove(dir)
		return nil, fmt.Errorf("mount a tmpfs: %w", err)
	}
	return &Mount{dir}, nil
}
