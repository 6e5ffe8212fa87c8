// Package twin plays scripts of raw bytes to Gearbolt and to gearmand, side by
// side, and compares what they answer.
//
// The scripts are the files testdata/*.txt. A file holds several, each under a
// line "-- name --"; every script has a fresh server of either kind. A line is
// a connection, a verb and what the verb acts on; a connection opens when it
// is first named:
//
//	args --job-retries=2         command line words that both servers get
//	c > SUBMIT_JOB f u "a b"     sends a packet; the words are joined by NULs
//	c res> SUBMIT_JOB f u ""     the same with the magic of a response
//	c >> "\x00REQ"               sends bytes as they are
//	c $ status                   sends a text line and a line feed
//	c +> GRAB_JOB                is written together with what c sends next (+>> and +$, too)
//	c ~>> "\x00RE"               is incomplete: nothing more is said on c before its next line,
//	                             where all that follows from it shows
//	c bytewise> ECHO_REQ x       reaches the server byte by byte
//	c open                       opens the connection and is incomplete in the same way
//	c close                      closes the connection, and waits until the server knows
//	c finish                     closes one direction, and reads on to the end
//	c wait NOOP 3s               waits until a packet of that type comes; the time is a limit
//	c until JOB_ASSIGN GRAB_JOB  sends the request again and again, until that is the answer
//
// A word may be quoted as in Go. Within words, {H1} is the first handle that
// the server has given, {x*64} is x 64 times, {now-3} the time in seconds.
//
// After each line the player collects what every connection has received. It
// does not wait for a length of time: it sends an ECHO_REQ on the acting
// connection, then one on each of the others, and reads until they come back.
// Both servers answer a connection in order and push what one packet causes
// before they turn to the next, so that nothing is still under way then.
//
// What gearmand answered stands in the script below the line that caused it,
// as "c < ...", so that it can be read without gearmand and compared with
// without gearmand. Where gearmand is installed it plays along, and the record
// must hold. Run the test with -rewrite to record anew.
//
// Not compared: the numbers in handles, process ids, versions, ports, file
// descriptors in "workers", and the order of lines in a listing, which is that
// of a hash table in gearmand. All other differences fail the test, but those
// that differences.txt declares with a reason; and one declared that does not
// show fails it as well.
package twin
