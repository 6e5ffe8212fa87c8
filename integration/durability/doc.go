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
// The long runs are flags of the tests: -rounds (kills), -seed (of their
// moments), -jobs (that wait for a server when it starts) and -throughput.
package durability
