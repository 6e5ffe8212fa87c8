package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are given to processes by blocks, below those that the kernel gives to
// outgoing connections: otherwise a client that tries to reach a server that is
// down may take its port, or even connect to itself.
const (
	firstPort = 20000
	blockSize = 100
	blocks    = 120
)

var ports struct {
	sync.Mutex
	next, end int            // of this process's last block, what is left
	held      []net.Listener // which say that the blocks are this process's
}

// FreeAddr returns a loopback address on which nothing listens. No address is
// returned twice, nor to two processes: a server that is down between two starts
// finds its port free.
func FreeAddr() (string, error) {
	ports.Lock()
	defer ports.Unlock()
	for {
		if ports.next == ports.end {
			if err := takeBlock(); err != nil {
				return "", err
			}
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports.next))
		ports.next++
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr, nil
		}
	}
}

// takeBlock takes a block that no other process has.
func takeBlock() error {
	for _, n := range rand.Perm(blocks) {
		first := firstPort + n*blockSize
		l, err := claim(first)
		if err != nil {
			continue
		}
		ports.held = append(ports.held, l)
		ports.next, ports.end = first, first+blockSize
		return nil
	}
	return errors.New("no port is left between 20000 and 32000")
}

// claim makes the sign that a block is taken: an abstract socket, which there is
// only one of, and which is there as long as its process.
func claim(first int) (net.Listener, error) {
	return net.Listen("unix", fmt.Sprintf("@gearbolt-test-ports-%d", first))
}
