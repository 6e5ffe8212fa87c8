// Package durability kills a server under load with SIGKILL, again and again on
// one store, and has package judge hold what comes back against what its peers
// were told.
//
// The load is background jobs of every kind and priority, with unique ids of
// their own, shared and none; workers that complete, fail, vanish with a job,
// or hang until their CAN_DO_TIMEOUT is over and then say a late word; and
// operators that ask and cancel. Beside the invariants of package judge, what
// is checked after every restart is that function, unique id, reducer, payload,
// priority, due time, attempts and the limits set by "maxqueue" are what they
// were, and that jobs come in their order.
//
// Beside the random moments there is every moment: a fixed script of 50 jobs is
// played while package tracer kills the server when it is about to make its
// first, second ... system call that writes, syncs or speaks, from its first
// start on; and so is a start on a store with jobs.
//
// Command hasty, which acknowledges before it stores, and a server without a
// store are the negative controls: the same checks must see them lose.
//
// The long runs are flags of the tests: -rounds (kills; 100), -seed (of their
// moments), -every (of so many calls one is killed at; 1), -jobs (that wait for
// a server when it starts) and -throughput.
package durability
