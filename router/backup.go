package router

import (
	"strconv"
	"time"

	"gearbolt/protocol"
)

// A Backup asks for a copy of the store. Whoever makes it calls
// [Machine.BackedUp].
type Backup struct {
	Name  string // of the copy, as the operator wrote it: whoever makes it judges it
	conn  *Conn
	place uint64
}

// Backups returns the copies to be made, as [Machine.Sends] returns what is to
// be said.
func (m *Machine) Backups() []Backup {
	b := m.backups
	m.backups = nil
	return b
}

// adminBackup is "backup NAME", for operators on this machine only. The answer
// is "OK", the size in bytes and the path.
func (m *Machine) adminBackup(c *Conn, w *protocol.Words) {
	if w.N != 2 {
		m.incomplete(c, w)
		return
	}
	c.backups++
	m.backups = append(m.backups, Backup{string(w.Word[1]), c, m.reserve(c)})
}

// BackedUp tells the operator what has become of a Backup: where the copy is and
// how many bytes it has, or why there is none.
func (m *Machine) BackedUp(now time.Time, b Backup, path string, size int64, err error) {
	m.advance(now)
	b.conn.backups--
	start := len(m.arena)
	if err == nil {
		m.arena = append(m.arena, "OK "+strconv.FormatInt(size, 10)+" "+path+"\r\n"...)
	} else {
		m.arena = append(m.arena, "ERR BACKUP_FAILED "+plusses(err.Error())+"\r\n"...)
	}
	m.fill(b.conn, b.place, start, nil)
}

// plusses writes a text as it stands in an ERR line: without line ends, and with
// plus signs for blanks.
func plusses(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] <= ' ' {
			b[i] = '+'
		}
	}
	return string(b)
}
