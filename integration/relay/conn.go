package main

import (
	"net"
	"sync"

	"gearbolt/protocol"
)

// A conn is a client or a worker.
type conn struct {
	table *table
	net   net.Conn

	// Of the table's.
	functions []*function
	parks     bool // grabs that find no job are kept (ALL_YOURS)
	grabs     int  // that are kept
	asleep    bool
	touched   bool // it is in table.touched
	out       []byte

	writing sync.Mutex // held while out is being written; taken before the table's
	spare   []byte
}

const readSize = 64 << 10

// serve reads what arrives until the peer goes or says what cannot be understood.
func (c *conn) serve() {
	defer c.leave()
	limits := protocol.Limits{Packet: protocol.DefaultPacketLimit}
	in := make([]byte, 0, readSize)
	for {
		if len(in) == cap(in) {
			in = append(in, make([]byte, len(in))...)[:len(in)]
		}
		n, err := c.net.Read(in[len(in):cap(in)])
		if err != nil {
			return
		}
		in = in[:len(in)+n]
		used, err := c.step(limits, in)
		if err != nil {
			return
		}
		in = append(in[:0], in[used:]...)
	}
}

// step takes all messages that b has whole, and writes what comes of them.
func (c *conn) step(limits protocol.Limits, b []byte) (used int, err error) {
	t := c.table
	t.mu.Lock()
	for used < len(b) {
		m, n, nextErr := limits.Next(b[used:])
		if err = nextErr; err == nil {
			err = t.take(c, m)
		}
		if err != nil {
			break
		}
		used += n
	}
	if err == protocol.ErrIncomplete {
		err = nil
	}
	touched := t.touched
	t.touched = nil
	for _, to := range touched {
		to.touched = false
	}
	t.mu.Unlock()
	for _, to := range touched {
		to.flush()
	}
	return used, err
}

// flush writes what waits for the peer.
func (c *conn) flush() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.table.mu.Lock()
	b := c.out
	c.out = c.spare[:0]
	c.table.mu.Unlock()
	if len(b) > 0 {
		c.net.Write(b) // a peer that has gone is noticed by who reads
	}
	c.spare = b
}

// leave takes the peer out of the table.
func (c *conn) leave() {
	c.net.Close()
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	c.table.forget(c)
}
