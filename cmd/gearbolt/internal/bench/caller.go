package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"gearbolt/protocol"
)

// A caller is a client connection with a number of calls under way. Each call
// carries its place and its turn in the payload, which comes back as its result:
// so no table of handles is needed, and an answer to another call, or a second
// one, is noticed.
type caller struct {
	*wire
	load     *load
	payload  []byte
	begun    []time.Time // of the call at each place
	turns    []uint32
	open     int // calls under way
	names    int // turn of the functions
	ids      ids
	owed     int // JOB_CREATED that are still to come
	finished int
	latency  histogram
}

// A load is what all callers of a round share.
type load struct {
	functions [][]byte
	places    int  // calls under way on each connection
	size      int  // of a payload, in bytes
	unique    bool // each job has an id, and none that of another
	queueing  bool // each call takes a background job along
	stopping  atomic.Bool
}

// header is the part of a payload that tells calls apart.
const header = 8

func newCaller(w *wire, l *load) *caller {
	return &caller{wire: w, load: l, payload: make([]byte, max(l.size, header)),
		begun: make([]time.Time, l.places), turns: make([]uint32, l.places), ids: newIDs(l.unique)}
}

// run calls until the load is stopping and the last answer is there.
func (c *caller) run() error {
	for place := range c.load.places {
		c.call(place)
	}
	return c.serve(c.hear)
}

// call makes the next call at a place.
func (c *caller) call(place int) {
	name := c.function()
	if c.load.queueing {
		c.say(protocol.SubmitJobBG, name, c.ids.next(), c.payload)
		c.owed++
		c.finished++
	}
	c.turns[place]++
	c.open++
	c.owed++
	binary.BigEndian.PutUint32(c.payload, uint32(place))
	binary.BigEndian.PutUint32(c.payload[4:], c.turns[place])
	c.begun[place] = time.Now()
	c.say(protocol.SubmitJob, name, c.ids.next(), c.payload)
}

// function returns the next function's name.
func (c *caller) function() []byte {
	c.names = (c.names + 1) % len(c.load.functions)
	return c.load.functions[c.names]
}

func (c *caller) hear(m protocol.Message) error {
	switch m.Type {
	case protocol.JobCreated:
		c.owed--
		return c.done()
	case protocol.WorkComplete:
		return c.hearResult(m.Body)
	}
	return unexpected(m)
}

func (c *caller) hearResult(body []byte) error {
	var args protocol.Args
	if err := protocol.Split(protocol.WorkComplete, body, &args); err != nil {
		return err
	}
	if len(args.Data) != len(c.payload) {
		return fmt.Errorf("a result of %d bytes came back for %d", len(args.Data), len(c.payload))
	}
	place := int(binary.BigEndian.Uint32(args.Data))
	if place >= len(c.turns) || c.turns[place] != binary.BigEndian.Uint32(args.Data[4:]) {
		return errors.New("a result came back that was not asked for, or twice")
	}
	c.latency.add(time.Since(c.begun[place]))
	c.finished++
	c.open--
	if c.load.stopping.Load() {
		c.turns[place]++ // a second answer would not fit
		return c.done()
	}
	c.call(place)
	return nil
}

// done ends the run when the last answer is there.
func (c *caller) done() error {
	if c.open == 0 && c.owed == 0 {
		return errDone
	}
	return nil
}
