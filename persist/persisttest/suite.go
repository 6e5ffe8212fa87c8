// Package persisttest is the suite that defines a store: what passes it keeps
// the promises of [persist.Store].
package persisttest

import (
	"testing"

	"gearbolt/persist"
)

// An Open opens the store that is kept in dir, an empty directory at first. It
// fails t when it cannot. The suite closes the store; one that keeps nothing in
// dir ignores it.
type Open func(t testing.TB, dir string) persist.Store

// A check is one promise.
type check struct {
	name string
	run  func(t *testing.T, open Open)
}

// Run checks what every store promises, be it durable or not.
func Run(t *testing.T, open Open) { run(t, open, append(commits(), payloads()...)) }

// RunDurable checks what Run does, and that a store that is opened again, in
// the same directory after Close or in a copy of it as a crash would have left
// it, has everything that was acknowledged.
func RunDurable(t *testing.T, open Open) {
	Run(t, open)
	run(t, open, durables())
}

func run(t *testing.T, open Open, checks []check) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}
