// Command mikespook puts github.com/mikespook/gearman-go behind the line
// protocol of the client tests:
//
//	mikespook worker HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
//	mikespook client HOST PORT
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"slices"
)

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: mikespook worker|client HOST PORT ...")
	}
	addr := net.JoinHostPort(os.Args[2], os.Args[3])
	run := work
	if os.Args[1] == "client" {
		run = serve
	}
	if err := run(addr, os.Args[4:]); err != nil {
		log.Fatal(err)
	}
}

func hexLine(event string, data []byte) { fmt.Printf("%s %x\n", event, data) }

func reversed(data []byte) []byte {
	out := slices.Clone(data)
	slices.Reverse(out)
	return out
}
