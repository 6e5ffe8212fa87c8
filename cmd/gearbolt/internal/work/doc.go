// Package work does jobs by running a command: a process for each job, or
// processes that stay and take one job after the other.
//
// # A process for each job
//
// The payload is its standard input, and its standard output is the result.
// Each line that it writes to standard error is sent as a warning at once. On
// file descriptor 3 it may report progress, in lines such as "3/10". Its end
// decides the last word:
//
//	exit code 0                   the result
//	another, with a warning       an exception: "exit status 2: " and the last warning
//	another, without              a failure
//	a signal                      an exception: "signal: killed"
//	the time is over              an exception: "not done in 5s"
//
// The environment names the job: GEARMAN_JOB_FUNCTION, GEARMAN_JOB_HANDLE,
// GEARMAN_JOB_UNIQUE.
//
// # Processes that stay
//
// A process that was forked ahead is sent, for each job, one line of JSON and
// the payload behind it, on standard input:
//
//	{"function":"wc","handle":"H:host:1-2","unique":"","size":5}
//	hello
//
// There is no line end behind the payload: size counts its bytes. On standard
// output the process answers with lines of JSON, each followed by as many bytes
// as its size says (none unless it says so):
//
//	{"type":"data","size":3}             a part of the result ahead
//	{"type":"warning","size":3}
//	{"type":"progress","done":3,"of":10}
//	{"type":"complete","size":5}         the result: the job is done
//	{"type":"fail"}                      the function failed: the job is done
//	{"type":"exception","size":7}        the function raised it: the job is done
//
// After one of the last three comes the next job. When standard input ends, the
// process is to end as well. Its standard error is the worker's own. One that
// ends, says something else or is not done in time is replaced, and its job
// ends in an exception.
//
// # No process is left behind
//
// Each process leads a process group. When it has ended, what is left of the
// group is killed. When the time is over the group gets SIGTERM, and SIGKILL
// after a grace. When the worker itself dies, however suddenly, the kernel kills
// its children (PR_SET_PDEATHSIG), and a guard, which is a process apart, kills
// theirs. Who means to live on must leave its process group and its environment.
package work
