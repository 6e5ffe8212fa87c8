package twin

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// act does what the verb says, and returns what it had to read for that.
func (p *player) act(c *peer, s *step) ([]message, error) {
	switch s.verb {
	case "close":
		c.close()
		return nil, nil
	case "finish":
		return c.finish()
	case "wait":
		return p.wait(c, s.rest)
	case "until":
		return p.until(c, s.rest)
	case "bytewise>":
		return nil, p.bytewise(c, s.rest)
	}
	return nil, p.send(c, s.verb, s.rest)
}

// send writes a packet, bytes or a text line, now or with what comes next.
func (p *player) send(c *peer, verb, rest string) error {
	kind := strings.TrimLeft(verb, "+~")
	mode := strings.TrimSuffix(verb, kind)
	b, err := p.bytes(kind, rest)
	if err != nil {
		return err
	}
	if mode == "+" {
		c.pending = append(c.pending, b...)
		return nil
	}
	c.partial = mode == "~"
	c.write(b)
	return nil
}

// bytes renders what a sending verb acts on.
func (p *player) bytes(kind, rest string) ([]byte, error) {
	switch kind {
	case ">":
		return p.packet(requestMagic, rest)
	case "res>":
		return p.packet(responseMagic, rest)
	case ">>":
		words, err := p.words(rest)
		return []byte(strings.Join(words, "")), err
	case "$":
		if text, err := strconv.Unquote(rest); err == nil {
			rest = text
		}
		return []byte(expand(rest, p.norm.handle) + "\n"), nil
	}
	return nil, fmt.Errorf("no verb is called %q", kind)
}

func (p *player) words(rest string) ([]string, error) {
	words, err := splitWords(rest)
	for i := range words {
		words[i] = expand(words[i], p.norm.handle)
	}
	return words, err
}

func (p *player) packet(magic, rest string) ([]byte, error) {
	words, err := p.words(rest)
	if err != nil || len(words) == 0 {
		return nil, fmt.Errorf("a packet without a name: %w", err)
	}
	kind, err := packetType(words[0])
	return encode(magic, kind, words[1:]), err
}

// wait reads until a packet of the type named has come, or the time is up.
func (p *player) wait(c *peer, rest string) ([]message, error) {
	kind, limit, _ := strings.Cut(rest, " ")
	duration, err := time.ParseDuration(limit)
	if err != nil {
		return nil, err
	}
	got, err := c.until(duration, func(m message) bool { return m.kind == kind })
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return got, nil
	}
	return got, err
}

// until repeats a request until it is answered by the packet named, and
// returns that answer alone.
func (p *player) until(c *peer, rest string) ([]message, error) {
	kind, request, _ := strings.Cut(rest, " ")
	b, err := p.packet(requestMagic, request)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && !c.closed; {
		c.write(b)
		got, err := c.settle()
		if err != nil || len(got) > 0 && got[0].kind == kind {
			return got, err
		}
	}
	return nil, fmt.Errorf("no %s came", kind)
}

// bytewise sends a packet byte by byte. A round trip on the control
// connection after each gives the server the time to look at it.
func (p *player) bytewise(c *peer, rest string) error {
	b, err := p.packet(requestMagic, rest)
	for i := range b {
		c.write(b[i : i+1])
		if _, err := p.control.settle(); err != nil {
			return err
		}
	}
	return err
}
