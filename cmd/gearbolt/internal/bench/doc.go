// Package bench puts load on Gearman servers and measures what they do with it:
// one server, or two side by side in alternating rounds, so that both see the
// same machine.
//
// The kinds of load:
//
//	sync        calls that wait for their results
//	background  background jobs are queued; nobody does them meanwhile
//	drain       queued background jobs are done
//	flow        background jobs are queued while workers do them
//	turnover    each connection queues jobs and does as many
//	mixed       each call takes a background job along
//	beside      calls beside a steady rate of ECHO_REQ, then of background jobs
//	idle        calls, while many connections sleep
//	queued      a number of background jobs is queued: memory for each
//	functions   calls to many functions
//	abilities   calls to one function of workers that have many
//	storm       many workers of many functions reconnect at once, beside calls
//
// Callers and workers speak packets by themselves, with little more than one
// system call for a burst in each direction: a library in between would be
// measured as well. It can be, where that is wanted.
//
// A latency is that of a call from its submission to its result; with
// background, flow, turnover and queued, from the submission to JOB_CREATED; with
// drain, from the grab to the job.
package bench
