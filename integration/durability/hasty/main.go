// Command hasty is a job server that breaks the promise: it says that a job is
// stored before it is. The tests of package durability must see that.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"slices"

	"go.uber.org/zap"

	"gearbolt/persist"
	"gearbolt/persist/bolt"
	"gearbolt/router"
	"gearbolt/router/server"
)

func main() {
	addr := flag.String("listen", "", "the `address` to listen on")
	dir := flag.String("data-dir", "", "the `directory` of the store")
	flag.Parse()
	if err := serve(*addr, *dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(addr, dir string) error {
	store, err := bolt.Open(bolt.Options{Dir: dir})
	if err != nil {
		return err
	}
	h := &hasty{Store: store, commits: make(chan commit, 1)}
	go h.run()
	s, err := server.New(server.Options{Router: router.Config{HandlePrefix: "H:hasty", PayloadMemory: 1 << 30, Version: "hasty"}}, h, zap.NewNop())
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return s.Serve(l, nil)
}

// A hasty store says done, and then does it.
type hasty struct {
	persist.Store
	commits chan commit
}

type commit struct {
	changes []persist.Change
	done    func(error)
}

// Commit keeps a copy of what the caller takes back once it is told that all is
// done.
func (h *hasty) Commit(changes []persist.Change, done func(error)) {
	changes = slices.Clone(changes)
	for i, c := range changes {
		if c.Job != nil {
			dup := *c.Job
			changes[i].Job = &dup
		}
	}
	h.commits <- commit{changes, done}
}

func (h *hasty) run() {
	for c := range h.commits {
		c.done(nil)
		stored := make(chan error, 1)
		h.Store.Commit(c.changes, func(err error) { stored <- err })
		if err := <-stored; err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(74)
		}
	}
}
