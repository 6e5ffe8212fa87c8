package server

import (
	"sync"

	"gearbolt/protocol"
)

// Sizes of buffers, in bytes: what a connection reads into at first, and what
// is worth keeping for another one.
const (
	bufferSize = 16 << 10
	bufferKeep = 64 << 10
)

// A buffer is borrowed while bytes are on their way; an idle connection has
// none.
type buffer struct {
	b    []byte
	msgs []protocol.Message // what a reader has cut off b
}

var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, bufferSize)} }}

func getBuffer() *buffer { return buffers.Get().(*buffer) }

func putBuffer(b *buffer) {
	if cap(b.b) > bufferKeep {
		return
	}
	b.b = b.b[:0]
	buffers.Put(b)
}

// grown is how large b is to become, to hold at least one byte more. It doubles
// rather than trust a packet's header, which may claim bytes that never come;
// need, if it is less, is as much as will ever be used.
func (b *buffer) grown(need int) int { return max(min(2*cap(b.b), need), len(b.b)+1) }

// grow makes room for as much.
func (b *buffer) grow(need int) {
	bigger := make([]byte, len(b.b), b.grown(need))
	copy(bigger, b.b)
	b.b = bigger
}
