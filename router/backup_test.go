package router

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// An operator on this machine asks for a backup, and for more behind it: the
// answers keep their order. For others the command does not exist.
func TestBackup(t *testing.T) {
	now := time.Now()
	m := New(now, 1, Config{Version: "9.9"})
	said := func(c *Conn) string {
		var b strings.Builder
		for _, s := range m.Sends() {
			if s.Conn == c {
				b.Write(s.Head)
				b.Write(s.Body)
			}
		}
		return b.String()
	}
	say := func(c *Conn, line string) {
		m.Step(now, c, protocol.Message{Magic: protocol.Text, Body: []byte(line)})
	}
	far, near := m.Connect(Peer{}), m.Connect(Peer{Local: true})
	say(far, "backup b")
	if got := said(far); !strings.HasPrefix(got, textUnknown) || m.Backups() != nil {
		t.Errorf("from afar: %q", got)
	}
	say(near, "backup")
	if got := said(near); !strings.HasPrefix(got, textIncomplete) || m.Backups() != nil {
		t.Errorf("without a name: %q", got)
	}
	say(near, "backup b")
	say(near, "backup c")
	say(near, "version")
	all := m.Backups()
	if got := said(near); got != "" || len(all) != 2 || all[0].Name != "b" {
		t.Fatalf("before they are made: %q, %v", got, all)
	}
	m.BackedUp(now, all[1], "", 0, errors.New("there is\na c"))
	if got := said(near); got != "" {
		t.Errorf("the second was answered before the first: %q", got)
	}
	m.BackedUp(now, all[0], "/d/backups/b", 7, nil)
	if got, want := said(near), "OK 7 /d/backups/b\r\nERR BACKUP_FAILED there+is+a+c\r\nOK 9.9\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	say(near, "backup d")
	m.Disconnect(now, near)
	m.BackedUp(now, m.Backups()[0], "", 0, nil) // nobody is there to hear it
	if got := said(near); got != "" {
		t.Errorf("who has left is told %q", got)
	}
}
