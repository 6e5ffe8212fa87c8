// Package bench puts load on Gearman servers and measures what they do with it:
// one server, or two side by side in alternating rounds, so that both see the
// same machine.
//
// The kinds of load:
//
//	sync        calls that wait for their results
//	background  background jobs are queued; nobody does them meanwhile
//	drain       queued background jobs are done
//	mixed       each call takes a background job along
//	idle        calls, while many connections sleep
//	functions   calls to many functions
//
// Callers and workers speak packets by themselves, with little more than one
// system call for a burst in each direction: a library in between would be
// measured as well. It can be, where that is wanted.
//
// A latency is that of a call from its submission to its result; with
// background, from the submission to JOB_CREATED; with drain, from the grab to
// the job.
package bench
