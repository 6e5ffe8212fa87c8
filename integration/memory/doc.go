// Package memory offers a server that has 256 MiB of memory far more than that,
// in five ways: small jobs, smaller jobs, large payloads, results for clients
// that do not read, and halves of large packets. The server refuses, with an
// ERROR each time, or spills to its disk; it is not killed, and works when it is
// over. A server that is told not to care about memory is killed.
//
// The flag -full offers 10 GiB each time, and takes some minutes.
package memory
