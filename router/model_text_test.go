package router

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// step is a packet or a line.
func (m *model) step(c *modelConn, msg protocol.Message) {
	if c.closing {
		return
	}
	body := string(msg.Body)
	a := strings.Split(body, "\x00")
	switch t := msg.Type; {
	case msg.Magic == protocol.Text:
		m.admin(c, strings.Fields(body))
	case msg.Magic == protocol.Res:
		c.say(errorPacket("INVALID_MAGIC", "Request magic expected"))
	case t == protocol.Noop:
		c.say(errorPacket("INVALID_COMMAND", "Command not expected"))
	case t == protocol.SubmitJob && len(a) < 3:
		c.say(errorPacket("INVALID_PACKET", "SUBMIT_JOB has too few arguments"))
		c.end()
	default:
		m.packet(c, t, body, a)
	}
}

// packet is a packet that is well-formed; a are its arguments.
func (m *model) packet(c *modelConn, t protocol.Type, body string, a []string) {
	switch t {
	case protocol.EchoReq:
		c.say(packet(protocol.EchoRes, body))
	case protocol.OptionReq:
		c.exceptions = true
		c.say(packet(protocol.OptionRes, body))
	case protocol.SetClientID:
		c.id = body
	case protocol.GetStatus:
		m.getStatus(c, body)
	case protocol.GetStatusUnique:
		m.getStatusUnique(c, body)
	case protocol.CanDo, protocol.CanDoTimeout:
		m.register(c, t, a)
	case protocol.CantDo:
		m.cannot(c, body)
	case protocol.ResetAbilities:
		c.abilities = nil
	case protocol.AllYours:
		c.parks = true
	case protocol.PreSleep:
		m.preSleep(c)
	case protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll:
		m.grab(c, t)
	case protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus, protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		m.work(c, t, a)
	default:
		m.submission(c, t, body)
	}
}

func (m *model) getStatus(c *modelConn, handle string) {
	j := m.byHandle(handle)
	if j != nil && j.state == pending {
		j = nil
	}
	c.say(packet(protocol.StatusRes, append([]string{handle}, j.status()...)...))
}

func (m *model) getStatusUnique(c *modelConn, unique string) {
	var found *modelJob
	for _, j := range m.jobs {
		if unique != "" && unique != "-" && j.Unique == unique && j.known > 0 && (found == nil || j.known > found.known) {
			found = j
		}
	}
	clients := "0"
	if found != nil {
		clients = strconv.Itoa(len(found.clients))
	}
	c.say(packet(protocol.StatusResUnique, append(append([]string{unique}, found.status()...), clients)...))
}

func (j *modelJob) status() []string {
	if j == nil {
		return []string{"0", "0", "0", "0"}
	}
	runs := "0"
	if j.state == running {
		runs = "1"
	}
	return []string{"1", runs, fmt.Sprint(j.numerator), fmt.Sprint(j.denominator)}
}

func (m *model) admin(c *modelConn, w []string) {
	if len(w) > protocol.MaxWords {
		c.end()
		return
	}
	switch w[0] {
	case "status", "prioritystatus":
		m.list(c, m.status(w[0] == "status"))
	case "workers":
		m.list(c, m.workers())
	case "show":
		m.list(c, m.show(w[1]))
	case "jobs", "clients":
		m.list(c, m.perl(w[0] == "jobs"))
	case "cancel":
		m.cancel(c, w[2])
	case "maxqueue", "maxqueuebytes":
		m.setLimits(c, w[0], w[1], w[2:])
	case "create":
		m.createFunction(c, w[2])
	case "drop":
		m.dropFunction(c, w[2])
	default:
		c.say(strconv.Quote("ERR UNKNOWN_COMMAND Unknown+server+command" + w[0] + "\r\n"))
	}
}

// list says lines and the dot behind them.
func (m *model) list(c *modelConn, lines []string) {
	for _, l := range lines {
		c.say(strconv.Quote(l + "\n"))
	}
	c.say(`".\n"`)
}

// status is "status", or else "prioritystatus".
func (m *model) status(status bool) (lines []string) {
	for _, f := range sortedKeys(m.functions) {
		workers := 0
		for _, c := range m.conns {
			if a := c.ability(f); a != nil {
				workers += a.times
			}
		}
		waits := func(p persist.Priority) int {
			return m.count(func(j *modelJob) bool { return j.Function == f && j.Priority == p && j.state != running })
		}
		total := m.count(func(j *modelJob) bool { return j.Function == f })
		runs := m.count(func(j *modelJob) bool { return j.Function == f && j.state == running })
		if status {
			lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%d", f, total, runs, workers))
		} else {
			lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%d\t%d", f, waits(persist.High), waits(persist.Normal), waits(persist.Low), workers))
		}
	}
	return lines
}

func sortedKeys[V any](in map[string]V) []string {
	var keys []string
	for k := range in {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (m *model) workers() (lines []string) {
	for _, c := range m.conns {
		l := fmt.Sprintf("%d %s %s :", c.conn.number, c.conn.peer.Addr, c.id)
		all := slices.Clone(c.abilities)
		slices.SortFunc(all, func(a, b *modelAbility) int { return b.since - a.since })
		for _, a := range all {
			l += strings.Repeat(" "+a.function, a.times)
		}
		lines = append(lines, l)
	}
	return lines
}

func (m *model) show(what string) (lines []string) {
	for _, f := range sortedKeys(m.limits.now) {
		switch l := m.limits.now[f]; {
		case what == "maxqueue" && l.Max != [persist.Priorities]uint32{}:
			lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%d", f, l.Max[persist.High], l.Max[persist.Normal], l.Max[persist.Low]))
		case what == "maxqueuebytes" && l.Bytes > 0:
			lines = append(lines, fmt.Sprintf("%s\t%d", f, l.Bytes))
		}
	}
	if strings.HasPrefix(what, "max") {
		return lines
	}
	for _, j := range m.jobs {
		switch {
		case j.state == pending:
		case what == "unique":
			lines = append(lines, j.Unique)
		case j.background:
			lines = append(lines, fmt.Sprintf("%s\t%d\t0\t1", j.handle, j.Attempts))
		default:
			ignored := 0
			if len(j.clients) == 0 {
				ignored = 1
			}
			lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t0", j.handle, j.Attempts, ignored))
		}
	}
	return lines
}

// perl is "jobs", or else "clients".
func (m *model) perl(jobs bool) (lines []string) {
	line := func(j *modelJob) string {
		worker := "-"
		if j.worker != nil {
			worker = j.worker.conn.peer.Full
		}
		return j.Function + "\t" + j.Unique + "\t" + worker
	}
	if jobs {
		for _, j := range m.jobs {
			if j.state != pending {
				lines = append(lines, fmt.Sprintf("%s\t%d", line(j), len(j.clients)))
			}
		}
		return lines
	}
	for _, c := range m.conns {
		lines = append(lines, c.conn.peer.Full)
		for l := range c.conn.listening.all { // the order in which it asked, which the model does not keep
			if j := m.byID(m.machine.jobs.id(m.machine.jobs.at(l.job))); j != nil && slices.Contains(j.clients, c) {
				lines = append(lines, "\t"+line(j))
			}
		}
	}
	return lines
}

func (m *model) cancel(c *modelConn, handle string) {
	j := m.byHandle(handle)
	if j == nil || j.state == pending {
		c.say(`"ERR UNKNOWN_JOB\r\n"`)
		return
	}
	if j.state == running {
		j.worker.taken[j.ID] = true
		m.release(j)
	}
	m.fail(j)
	if j.put == unstored {
		c.say(ok)
		return
	}
	m.cancels[j.ID] = c.wait()
}

func (m *model) dropFunction(c *modelConn, function string) {
	used := m.count(func(j *modelJob) bool { return j.Function == function }) > 0
	for _, x := range m.conns {
		used = used || x.ability(function) != nil
	}
	switch {
	case !m.functions[function]:
		c.say(`"ERR function not found\r\n"`)
	case used:
		c.say(`"ERR there are still connected workers or executing clients\r\n"`)
	default:
		delete(m.functions, function)
		c.say(ok)
	}
}
