// Package overload offers a server five times as many jobs as it can take and
// have done, and looks at what becomes of each.
//
//	go test ./integration/overload -v                  a second of each rate
//	go test ./integration/overload -v -span 10s        ten seconds of each
//
// The load is open: so many submissions fall due in a second, whether or not
// earlier ones have been answered, and whoever submits gives one up that could not
// even be sent within its deadline. Rates grow until no more jobs get done; the
// most that did is the peak. Then five times as many fall due, from five times as
// many connections.
//
// Every submission that was sent must be answered, by JOB_CREATED or by an ERROR
// that names a limit; every job that was acknowledged must be done, once, and no
// other; memory must stay within --memory-limit; and the queue must drain when it
// is over. How many jobs a second get done meanwhile, beside the peak, is a figure
// that the test logs: it depends on what else the machine has to do.
package overload
