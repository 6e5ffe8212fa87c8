// Command relay passes Gearman calls and jobs from clients to workers, and does
// nothing else: no priorities, unique ids, limits, timeouts or disk, no care for
// bytes that make no sense or for peers that vanish or never read. It is a
// yardstick: what a server in Go with the shape of Gearbolt's shell costs before
// it is of any use (readers step one shared table under one lock and then write
// out what they touched), and so about what the machine allows.
//
//	go run ./integration/relay 127.0.0.1:4731
//
// Package table measures it beside Gearbolt and gearmand (--relay).
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: relay HOST:PORT")
		os.Exit(2)
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
	t := newTable()
	for {
		nc, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "relay:", err)
			os.Exit(1)
		}
		go (&conn{table: t, net: nc}).serve()
	}
}
