// Package peers lets peers misbehave towards a running server: those that do
// not read, that do not finish what they say, that vanish, that come by the
// thousand, and that say what makes no sense. A client and a worker that behave
// go on beside them. They get the right answers, and about as soon as without
// the others; afterwards the server has as many files open and about as much
// memory as before, and its counters tell which limit has cut whom off.
//
// Most tests have a twin in which the limit in question is switched off, and
// which must show the harm.
//
// Flags of the tests:
//
//	-connections N  how many connections are idle at a time (10,000); each takes
//	                a file descriptor of this process and one of the server
//	-malformed N    how many malformed conversations are held (20,000)
//	-seed N         where the malformed ones begin (1): conversation N alone is
//	                held again by -malformed 1 -seed N
//	-rounds N       how many times storms, and stalled handshakes, come (1)
package peers
