// Package network holds a running server to what it promises when the network
// between it and its peers loses packets, stalls, or is cut in the middle of
// what they say.
//
//	go test ./integration/network                                      a few seconds of each
//	go test ./integration/network -span 180s -hole 20s -timeout 2h     minutes of each
//
// The server is in one network namespace and its peers are in another, with a
// pair of virtual Ethernet devices between them. Packets are dropped where they
// arrive, by rules of nftables: one in a hundred, in twenty, or in five, in both
// directions; all of them, for longer than either side is willing to wait; or all
// of one connection. A line of 1 Mbit/s makes them late. Each fault must have
// dropped packets, or the test fails.
//
// Ten clients submit background jobs and ten workers do them. They wait for an
// answer as long as a real one would, and connect again. Package judge keeps the
// books: nothing acknowledged is lost, a job comes again only when its worker may
// have been given up, its end counts once, and when the fault is over all is
// done. It looks at the server from its own side, where nothing is dropped.
//
// The negative controls are a server that does not ask whether its peers are
// there, which keeps what a vanished worker has, and one without a store, whose
// loss the judge must see through a bad network, too.
//
// The tests need root and nftables. Each test process has namespaces of its own;
// nothing is left of them when it ends.
package network
