package router

import (
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A subject is what the simulation plays with: a [Machine], or one that was
// broken on purpose.
type subject interface {
	Configure(time.Time, Config)
	Connect(Peer) *Conn
	Step(time.Time, *Conn, protocol.Message)
	Disconnect(time.Time, *Conn)
	Tick(time.Time)
	Next() time.Time
	Changes() []persist.Change
	Committed(time.Time, *persist.RefusedError)
	Sends() []Send
	Fetches() []Fetch
	Fetched(time.Time, Fetch, []byte, bool)
	Quiesce()
}

// whole is the machine as it is.
func whole(m *Machine) subject { return m }
