package server

import (
	"errors"
	"net"
	"testing"
)

// A copier is a store that makes copies, when it is let.
type copier struct {
	*ledger
	begin chan struct{}
}

func (c copier) Backup(name string, stop <-chan struct{}) (string, int64, error) {
	select {
	case <-c.begin:
		return "/d/backups/" + name, 7, nil
	case <-stop:
		return "", 0, errors.New("it was broken off")
	}
}

// An operator's command may be all that comes on a connection whose other half
// is closed behind it, as nc does: the answer is waited for.
func TestBackupIsAnsweredBehindTheLastWord(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		begin := make(chan struct{})
		s.server.store = copier{s.store, begin}
		l := newMemListener(&net.UnixAddr{Name: "/run/gearbolt.sock", Net: "unix"})
		go s.server.Serve(l, nil)
		p := s.peer(l, &net.UnixAddr{Net: "unix"})
		p.write("backup b\n")
		p.conn.CloseWrite()
		p.expectNothing()
		close(begin)
		p.expectText("OK 7 /d/backups/b\r\n")
		p.expectClosed()
	})
}
