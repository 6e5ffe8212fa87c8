package twin

import (
	"fmt"
	"time"
)

// A player plays one script to one server.
type player struct {
	addr    string
	norm    *normalizer
	names   []string // of the connections, as they were opened
	peers   map[string]*peer
	control *peer // the player's own, for what the script must not see
}

// play returns the answers to each step of the script.
func play(addr string, pid int, s *script) ([][]string, error) {
	control, err := dial(addr)
	if err != nil {
		return nil, err
	}
	control.write(encode(requestMagic, 22, []string{controlID}))
	p := &player{addr: addr, norm: newNormalizer(pid, control.conn.LocalAddr().String()), peers: map[string]*peer{}, control: control}
	defer p.end()
	var all [][]string
	for _, l := range s.steps() {
		answers, err := p.step(l.step)
		if err != nil {
			return all, fmt.Errorf("%s: %w", l.text, err)
		}
		all = append(all, answers)
	}
	return all, nil
}

func (p *player) end() {
	p.control.conn.Close()
	for _, c := range p.peers {
		c.close()
	}
}

// peer returns the connection of that name, which it opens at its first
// mention. From then on the server knows it.
func (p *player) peer(name string) (*peer, error) {
	if c := p.peers[name]; c != nil {
		return c, nil
	}
	c, err := dial(p.addr)
	p.names, p.peers[name] = append(p.names, name), c
	if err == nil {
		_, err = c.settle()
	}
	if c.refused = c.closed; c.refused {
		return c, nil // the server has died, which a script may show
	}
	return c, err
}

// open opens a connection that says nothing before the script does.
func (p *player) open(name string) error {
	known := p.live() + 1 // with the control connection
	if err := p.awaitListed(func(listed int) bool { return listed <= known }); err != nil {
		return err
	}
	c, err := dial(p.addr)
	if err != nil {
		return err
	}
	c.partial = true
	p.names, p.peers[name] = append(p.names, name), c
	return p.awaitListed(func(listed int) bool { return listed > known })
}

// step plays one line and returns all that came of it, the acting
// connection's part first.
func (p *player) step(s *step) ([]string, error) {
	if s.verb == "open" {
		return nil, p.open(s.conn)
	}
	c, err := p.peer(s.conn)
	if err != nil {
		return nil, err
	}
	if c.refused {
		return []string{s.conn + " < (refused)"}, nil
	}
	got, err := p.act(c, s)
	answers := p.norm.answers(s.conn, got)
	if err != nil || len(c.pending) > 0 || c.partial {
		return answers, err // nobody knows whether the server has it yet
	}
	rest, err := p.settleAll(s.conn)
	return append(answers, rest...), err
}

// settleAll collects what has arrived on every connection. It begins anew when
// it finds one closed: others may hear of that.
func (p *player) settleAll(acting string) ([]string, error) {
	var answers []string
	for live := -1; live != p.live(); {
		live = p.live()
		if err := p.awaitListed(func(listed int) bool { return listed <= live+1 }); err != nil {
			return answers, err
		}
		for _, name := range append([]string{acting}, p.names...) {
			got, err := p.peers[name].settle()
			answers = append(answers, p.norm.answers(name, got)...)
			if err != nil {
				return answers, fmt.Errorf("%s, after %q: %w", name, answers, err)
			}
		}
	}
	return answers, nil
}

// live is how many connections the script has open.
func (p *player) live() int {
	n := 0
	for _, c := range p.peers {
		if !c.closed {
			n++
		}
	}
	return n
}

// awaitListed waits until the server lists the right number of connections,
// among them the control connection. When it lists no more than are live, it
// has let go of those that are closed, and what their end causes has happened.
func (p *player) awaitListed(right func(listed int) bool) error {
	for deadline := time.Now().Add(patience); ; {
		listed, err := p.control.connections()
		if err != nil || p.control.closed || right(listed) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server lists %d connections, for %d", listed, p.live()+1)
		}
	}
}
