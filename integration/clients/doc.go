// Package clients tests a job server from outside, with client libraries,
// workers and tools that other people wrote. The server under test is ours,
// or with "go test -server gearmand" the gearmand that it stands in for: what
// fails there as well is a mistake of a library or of a test, and what fails
// only there is named in a table (baseline_test.go).
//
// Every library sits behind two small programs in its own language, which
// speak one line protocol, so that one set of scenarios drives them all and
// any client can be paired with any worker. Bytes travel as hex digits.
//
// A worker is started as
//
//	worker HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
//
// with the timeout to register. For every job it prints "job FUNCTION HEX"
// (the first 32 bytes of the payload) and then behaves:
//
//	reverse    completes with the payload's bytes in reverse order
//	hold       waits for a line "go" on stdin, then as reverse
//	progress   sends status 3 of 10, then as hold
//	data       sends the data "one" and "two", completes with "done"
//	warning    sends the warning "careful", completes with "done"
//	fail       fails
//	exception  throws "boom"
//
// It prints "error TEXT" when the library reports an error, and runs until it
// is killed.
//
// A client is started as
//
//	client HOST PORT [exceptions]
//
// and answers requests from stdin, one a line, until stdin ends:
//
//	run FUNCTION PRIORITY UNIQUE HEX   a foreground job
//	bg FUNCTION PRIORITY UNIQUE HEX    a background job
//	state HANDLE                       GET_STATUS
//	many FUNCTION COUNT                COUNT foreground jobs at once
//	ping HEX                           ECHO_REQ
//
// PRIORITY is low, normal or high, and UNIQUE the word none for no unique id.
// The answer is a number of lines, the last of which is "end":
//
//	created HANDLE | data HEX | warning HEX | status NUMERATOR DENOMINATOR
//	complete HEX | fail | exception HEX | error TEXT
//	state KNOWN RUNNING NUMERATOR DENOMINATOR | right COUNT | pong
package clients
