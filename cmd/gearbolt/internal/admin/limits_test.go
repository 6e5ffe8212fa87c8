package admin

import (
	"context"
	"errors"
	"net"
	"reflect"
	"testing"

	"gearbolt/protocol"
)

func TestFigures(t *testing.T) {
	c := answering(t, map[string]string{
		"counters":             "jobs_refused\t7\nlate\t0\n.\n",
		"show limits":          "max-jobs\t10\t3\nqueue-memory\t0\t99\n.\n",
		"show maxqueuebytes":   "a\tb\t65536\n.\n",
		"maxqueuebytes f 1024": "OK\r\n",
	})
	if got, err := c.Counters(); err != nil || !reflect.DeepEqual(got, []Counter{{"jobs_refused", 7}, {"late", 0}}) {
		t.Errorf("counters: got %+v, %v", got, err)
	}
	if got, err := c.Bounds(); err != nil || !reflect.DeepEqual(got, []Bound{{"max-jobs", 10, 3}, {"queue-memory", 0, 99}}) {
		t.Errorf("limits: got %+v, %v", got, err)
	}
	if got, err := c.ByteLimits(); err != nil || !reflect.DeepEqual(got, map[string]int{"a\tb": 65536}) {
		t.Errorf("maxqueuebytes: got %+v, %v", got, err)
	}
	if err := c.SetByteLimit("f", 1024); err != nil {
		t.Error(err)
	}
}

func TestFiguresThatAServerDoesNotTell(t *testing.T) {
	c := answering(t, map[string]string{"show limits": "ERR UNKNOWN_SHOW_ARGUMENTS\r\n", "counters": "late\tmany\n.\n"})
	if _, err := c.Bounds(); !IsUnknown(err) {
		t.Errorf("limits: %v", err)
	}
	if _, err := c.Counters(); err == nil || IsUnknown(err) {
		t.Errorf("counters: %v", err)
	}
}

// A server with too many connections says ERROR, a packet, and closes.
func TestTurnedAway(t *testing.T) {
	near, far := net.Pipe()
	go func() {
		far.Write(protocol.AppendError(nil, protocol.QueueError, "Too many connections"))
		far.Close()
	}()
	defer near.Close()
	_, err := New(t.Context(), buffered{near}).Version()
	if r := new(Refusal); !errors.As(err, &r) || r.Code != "QUEUE_ERROR" || r.Text != "Too many connections" {
		t.Errorf("got %v", err)
	}
}

// Who is interrupted did not wait in vain for an answer.
func TestInterrupted(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		far.Read(make([]byte, 1))
		cancel()
	}()
	if _, err := New(ctx, buffered{near}).Version(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
