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
// mention.
func (p *player) peer(name string) (*peer, error) {
	if c := p.peers[name]; c != nil {
		return c, nil
	}
	c, err := dial(p.addr)
	p.names, p.peers[name] = append(p.names, name), c
	if err == nil {
		_, err = c.settle() // from here on the server knows it
	}
	c.refused = c.closed // the server has died, which a script may show
	if c.refused {
		err = nil
	}
	return c, err
}

// step plays one line and returns all that came of it, the acting
// connection's part first.
func (p *player) step(s *step) ([]string, error) {
	c, err := p.peer(s.conn)
	if err != nil {
		return nil, err
	}
	if c.refused {
		return []string{s.conn + " < (refused)"}, nil
	}
	got, err := p.act(c, s)
	answers := p.norm.answers(s.conn, got)
	if err != nil || len(c.pending) > 0 {
		return answers, err
	}
	rest, err := p.settleAll(s.conn)
	return append(answers, rest...), err
}

// settleAll collects what has arrived on every connection. It begins anew when
// it finds one closed: others may hear of that.
func (p *player) settleAll(acting string) ([]string, error) {
	var answers []string
	for live := -1; live != p.live(); {
		if err := p.awaitGone(); err != nil {
			return answers, err
		}
		live = p.live()
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

// awaitGone waits until the server has let go of every connection that is
// closed, so that what its end causes has happened.
func (p *player) awaitGone() error {
	live := p.live() + 1 // the control connection
	for deadline := time.Now().Add(patience); ; {
		listed, err := p.control.connections()
		if err != nil || listed <= live {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server still lists %d connections for %d", listed, live)
		}
	}
}
