package router

import (
	"bytes"
	"slices"
	"strconv"

	"gearbolt/protocol"
)

// The admin commands. Their answers are what scripts and monitoring read, so
// they are gearmand's to the byte, line ends included.
const (
	textOK           = "OK\r\n"
	textUnknown      = "ERR UNKNOWN_COMMAND Unknown+server+command"
	textIncomplete   = "ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+"
	textUnknownShow  = "ERR UNKNOWN_SHOW_ARGUMENTS\r\n"
	textUnknownJob   = "ERR UNKNOWN_JOB\r\n"
	textUnknownError = "ERR UNKNOWN_ERROR\r\n"
	textNoFunction   = "ERR function not found\r\n"
	textBusyFunction = "ERR there are still connected workers or executing clients\r\n"
)

// admin takes an admin line, up to a NUL as gearmand's C does. With more words
// than any command has, the connection is closed, as there.
func (m *Machine) admin(c *Conn, line []byte) {
	w := &m.words
	if !protocol.SplitWords(protocol.CString(line), w) {
		m.close(c)
		return
	}
	switch {
	case w.Is(0, "status"):
		m.adminStatus(c)
	case w.Is(0, "prioritystatus"):
		m.adminPriorityStatus(c)
	case w.Is(0, "workers"):
		m.adminWorkers(c)
	case w.Is(0, "jobs"):
		m.adminJobs(c)
	case w.Is(0, "clients"):
		m.adminClients(c)
	case w.Is(0, "version"):
		m.sayText(c, "OK "+m.cfg.Version+"\n")
	case w.Is(0, "getpid"):
		m.sayText(c, "OK "+strconv.Itoa(m.cfg.PID)+"\n")
	case w.Is(0, "counters"):
		m.adminCounters(c)
	case w.Is(0, "verbose"):
		m.sayText(c, "OK "+m.cfg.Verbose+"\n")
	default:
		m.adminWith(c, w)
	}
}

// adminWith takes the commands that have arguments, or lack them.
func (m *Machine) adminWith(c *Conn, w *protocol.Words) {
	switch {
	case w.Is(0, "show") && w.N > 1:
		m.adminShow(c, w)
	case w.Is(0, "cancel") && w.N > 2:
		m.adminCancel(c, w)
	case w.Is(0, "maxqueue"):
		m.adminMaxqueue(c, w)
	case w.Is(0, "maxqueuebytes"):
		m.adminMaxqueuebytes(c, w)
	case w.Is(0, "create"):
		m.adminCreate(c, w)
	case w.Is(0, "drop"):
		m.adminDrop(c, w)
	case w.Is(0, "backup") && c.peer.Local:
		m.adminBackup(c, w)
	case w.Is(0, "shutdown") && c.peer.Local:
		m.adminShutdown(c, w)
	default:
		m.sayText(c, textUnknown+string(w.Word[0])+"\r\n")
	}
}

// adminShutdown is "shutdown" and "shutdown graceful", for operators on this
// machine only: gearmand has it no more.
func (m *Machine) adminShutdown(c *Conn, w *protocol.Words) {
	switch {
	case w.N == 1:
		m.shutdown = ShutdownNow
	case w.N == 2 && w.Is(1, "graceful"):
		m.shutdown = max(m.shutdown, ShutdownGraceful)
	default:
		m.sayText(c, "ERR UNKNOWN_ARGUMENTS Unknown+arguments+to+server+command\r\n")
		return
	}
	m.sayText(c, textOK)
}

// adminCancel is "cancel job HANDLE".
func (m *Machine) adminCancel(c *Conn, w *protocol.Words) {
	if w.N != 3 || !w.Is(1, "job") {
		m.sayText(c, textUnknownError)
		return
	}
	j := m.jobByHandle(w.Word[2])
	switch {
	case j == nil || j.state == pending:
		m.sayText(c, textUnknownJob)
	case m.cancel(j):
		m.answered(c, nil)
	default:
		m.sayText(c, textOK)
	}
}

// adminCreate is "create function NAME".
func (m *Machine) adminCreate(c *Conn, w *protocol.Words) {
	if w.N != 3 || !w.Is(1, "function") {
		m.incomplete(c, w)
		return
	}
	if m.functions[string(w.Word[2])] == nil {
		if why := m.functionRefusal(len(w.Word[2])); why != noLimit {
			m.denyLine(c, why)
			return
		}
	}
	m.function(w.Word[2])
	m.sayText(c, textOK)
}

// adminDrop is "drop function NAME", in any case of letters. A function that
// has workers or jobs stays; gearmand would lose the jobs that wait.
func (m *Machine) adminDrop(c *Conn, w *protocol.Words) {
	if w.N != 3 || !w.Is(1, "function") {
		m.incomplete(c, w)
		return
	}
	fn := m.functionFold(w.Word[2])
	switch {
	case fn == nil:
		m.sayText(c, textNoFunction)
	case fn.workers > 0 || fn.total > 0:
		m.sayText(c, textBusyFunction)
	default:
		m.deadlines.cancel(&fn.watch)
		delete(m.functions, fn.name)
		m.functionAt.give(fn.seat)
		m.register(-memoryOfFunction(fn.name))
		m.sayText(c, textOK)
	}
}

// functionFold finds a function by its name in any case; its exact name first.
func (m *Machine) functionFold(name []byte) *function {
	if fn := m.functions[string(name)]; fn != nil {
		return fn
	}
	for _, fn := range m.sortedFunctions() {
		if bytes.EqualFold([]byte(fn.name), name) {
			return fn
		}
	}
	return nil
}

func (m *Machine) incomplete(c *Conn, w *protocol.Words) {
	m.sayText(c, textIncomplete+string(w.Word[0])+"\r\n")
}

// sortedFunctions returns all functions by name.
func (m *Machine) sortedFunctions() []*function {
	all := make([]*function, 0, len(m.functions))
	for _, fn := range m.functions {
		all = append(all, fn)
	}
	slices.SortFunc(all, func(a, b *function) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	return all
}
