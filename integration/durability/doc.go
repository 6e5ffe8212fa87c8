// Package durability kills a server under load with SIGKILL, again and again on
// one store, and holds what comes back against what its peers were told.
//
// The books (books_test.go) are kept by the peers: who submits a job writes
// down what it was told, and so does who runs one. They balance when, after
// every restart,
//
//   - every background job that was acknowledged and that no worker has ended
//     is known by its old handle: none is lost;
//   - no job comes back whose end was durably taken: none is completed twice.
//     A worker knows that its WORK_COMPLETE was durably taken when a background
//     job that it submitted behind it is acknowledged, since a server stores
//     what it was told in that order. Of a job that runs, or whose end was said
//     but not confirmed, when the server dies, nobody can know more: it may run
//     again;
//   - no handle stands for two jobs, and no job comes that nobody submitted;
//   - function, unique id, reducer, payload, priority, due time, attempts and
//     the limits set by "maxqueue" are what they were.
package durability
