// Package linear holds what the peers of a server have seen of each job against
// a model of a job's life: there must be an order of all that was asked, in
// which everything happened at one moment between its request and its answer,
// and which one job can have lived through. What was asked and not answered
// has happened at some moment before the server died, or never.
//
// Package judge looks at the same log with rules of its own; this is a second
// opinion, which knows nothing of them.
package linear
