package clients

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

func (p *peer) serveOne(function, result string) {
	p.t.Helper()
	p.want(protocol.SubmitJob, function, "", "")
	p.say(protocol.JobCreated, "H:1")
	p.say(protocol.WorkComplete, "H:1", result)
}

func TestNoServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.away.Store("a:4730", true)
		n.away.Store("b:4730", true)
		c := n.client("a", "b")
		r := <-goCall(bg, c, "f", "")
		r.fails(t, ErrNoServer, false)
		want := "clients: call f: no server can be reached: a:4730: connection refused; b:4730: connection refused"
		if r.err.Error() != want {
			t.Errorf("the error reads %q, want %q", r.err, want)
		}
		_, err := c.Status(bg, Handle{ID: "H:1"})
		result{err: err}.fails(t, ErrNoServer, false)
		for _, h := range c.Health(bg) {
			result{err: h.Err}.fails(t, ErrNoServer, false)
		}
	})
}

func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a", "b")
		n.away.Store("a:4730", true)
		one := goCall(bg, c, "f", "")
		b := n.acceptClient()
		b.serveOne("f", b.addr)
		(<-one).want(t, "b:4730")
		n.away.Delete("a:4730")
		a := n.acceptClient()
		synctest.Wait()
		two := goCall(bg, c, "f", "") // the first in the list again
		a.serveOne("f", a.addr)
		(<-two).want(t, "a:4730")
	})
}

// A server that swallows connections may take only its share of a call's time.
func TestFailoverWithinTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		config := n.config("a", "b")
		config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == "a:4730" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return n.dial(ctx, network, addr)
		}
		c := n.clientOf(config)
		begun := time.Now()
		ctx, cancel := context.WithTimeout(bg, 2*time.Second)
		defer cancel()
		call := goCall(ctx, c, "f", "")
		n.acceptClient().serveOne("f", "yes")
		(<-call).want(t, "yes")
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A server that accepts and says nothing, or something else, is none.
func TestServersThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{"silence": "", "http": "HTTP/1.1 400 Bad Request\r\n\r\n", "packet": "\x00RES\x00\x00\x00\x08\x00\x00\x00\x00"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				c := n.client("a")
				call := goCall(bg, c, "f", "")
				p := n.accept()
				p.want(protocol.OptionReq, "exceptions")
				if answer != "" {
					p.write([]byte(answer))
				}
				(<-call).fails(t, ErrNoServer, false)
			})
		})
	}
}

func TestAServerThatShutsDownRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a", "b")
		call := goCall(bg, c, "f", "")
		a := n.acceptClient()
		a.want(protocol.SubmitJob, "f", "", "")
		a.say(protocol.Error, "QUEUE_ERROR", "The server is shutting down")
		n.acceptClient().serveOne("f", "b")
		(<-call).want(t, "b")
	})
}

// When no server takes a call, one that says why says more than those that
// cannot be reached, and nobody waits for these.
func TestEveryServerRefuses(t *testing.T) {
	for name, options := range map[string][]CallOption{"at once": nil, "waiting": {WaitForServer()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.away.Store("b:4730", true)
				c := n.client("a", "b")
				call := goCall(bg, c, "f", "", options...)
				go func() {
					a := n.acceptClient()
					for m, ok := a.tryRead(); ok && m.Type == protocol.SubmitJob; m, ok = a.tryRead() {
						a.say(protocol.Error, "QUEUE_ERROR", "The job could not be stored: no space left")
					}
				}()
				r := <-call
				r.fails(t, ErrQueueFull, false)
				if e := new(ServerError); !errors.As(r.err, &e) || errors.Is(r.err, ErrNoServer) {
					t.Errorf("the call failed with %v, want the server's own word", r.err)
				}
			})
		})
	}
}

// A server with too many connections says so and closes.
func TestTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		call := goCall(bg, c, "f", "")
		a := n.accept()
		a.say(protocol.Error, "QUEUE_ERROR", "Too many connections")
		r := <-call
		r.fails(t, ErrNoServer, false)
		if !strings.Contains(r.err.Error(), "Too many connections") {
			t.Errorf("the call failed with %v, want the server's reason", r.err)
		}
	})
}

func TestWaitForServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.away.Store("a:4730", true)
		c := n.client("a")
		ctx, cancel := context.WithTimeout(bg, time.Hour)
		defer cancel()
		call := goCall(ctx, c, "f", "", WaitForServer())
		brief, stop := context.WithTimeout(bg, time.Minute)
		defer stop()
		(<-goCall(brief, c, "f", "", WaitForServer())).fails(t, context.DeadlineExceeded, false)
		n.away.Delete("a:4730")
		n.acceptClient().serveOne("f", "yes")
		(<-call).want(t, "yes")
	})
}

func TestBackoff(t *testing.T) {
	b := backoff{min: 50 * time.Millisecond, max: 5 * time.Second}
	for i := range 20 {
		whole := min(50*time.Millisecond<<min(i, 10), 5*time.Second)
		if d := b.take(); d < whole/2 || d > whole {
			t.Errorf("pause %d is %v, want %v to %v", i, d, whole/2, whole)
		}
	}
}

// ECHO_REQ finds connections that died without a word.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		call := goCall(bg, c, "f", "")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:1")
		begun := time.Now()
		for range 3 {
			p.want(protocol.EchoReq, "")
			p.say(protocol.EchoRes, "")
		}
		if took := time.Since(begun); took != 90*time.Second {
			t.Errorf("three echoes in %v", took)
		}
		p.want(protocol.EchoReq, "")
		(<-call).fails(t, ErrLost, true)
		if took := time.Since(begun); took != 140*time.Second {
			t.Errorf("given up after %v", took)
		}
	})
}

func TestEchoAndHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.away.Store("b:4730", true)
		c := n.client("a", "b")
		go func() {
			p := n.acceptClient()
			for range 2 {
				m := p.read()
				p.say(protocol.EchoRes, string(m.Body))
			}
		}()
		if b, err := c.Echo(bg, []byte("hi")); err != nil || string(b) != "hi" {
			t.Errorf("%q, %v", b, err)
		}
		h := c.Health(bg)
		if h[0].Server != "a:4730" || h[0].Err != nil || h[1].Server != "b:4730" || !errors.Is(h[1].Err, ErrNoServer) {
			t.Errorf("%+v", h)
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a", "b")
		go func() {
			a := n.acceptClient()
			a.want(protocol.GetStatus, "H:1")
			a.say(protocol.StatusRes, "H:1", "0", "0", "0", "0")
			b := n.acceptClient()
			b.want(protocol.GetStatus, "H:1")
			b.say(protocol.StatusRes, "H:1", "1", "1", "3", "10")
			b.want(protocol.GetStatus, "H:2") // its own: a is not asked
			b.say(protocol.StatusRes, "H:2", "0", "0", "0", "0")
			a.want(protocol.GetStatusUnique, "u")
			a.say(protocol.StatusResUnique, "u", "1", "0", "0", "0", "2")
		}()
		if s, err := c.Status(bg, Handle{ID: "H:1"}); err != nil || s != (Status{true, true, 3, 10, 0}) {
			t.Errorf("%+v, %v", s, err)
		}
		if s, err := c.Status(bg, Handle{"b:4730", "H:2"}); err != nil || s != (Status{}) {
			t.Errorf("%+v, %v", s, err)
		}
		if s, err := c.StatusUnique(bg, "u"); err != nil || s != (Status{Known: true, Waiting: 2}) {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestByUnique(t *testing.T) {
	servers := []string{"a", "b", "c", "d"}
	client := func(servers ...string) *Client {
		c, err := NewClient(Config{Servers: servers, Pick: ByUnique})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	names := func(all []*server) (s []string) {
		for _, x := range all {
			s = append(s, x.addr.host[:1])
		}
		return s
	}
	one, two, less := client(servers...), client("d", "b", "a", "c"), client("a", "b", "d")
	firsts := map[string]int{}
	for i := range 4000 {
		k := &call{opts: callOptions{unique: fmt.Sprint(i)}}
		order := names(one.order(k))
		if firsts[order[0]]++; !slices.Equal(order, names(two.order(k))) {
			t.Fatalf("two processes disagree about %d", i)
		}
		if without := slices.DeleteFunc(slices.Clone(order), func(s string) bool { return s == "c" }); !slices.Equal(without, names(less.order(k))) {
			t.Fatalf("a server that is gone moves the calls of others: %v, %v", order, names(less.order(k)))
		}
		k = &call{opts: callOptions{unique: "-"}, payload: []byte(fmt.Sprint(i))}
		if !slices.Equal(order, names(one.order(k))) {
			t.Fatal(`the unique id "-" is not the payload`)
		}
	}
	for s, n := range firsts {
		if n < 800 || n > 1200 {
			t.Errorf("%s gets %d of 4000 calls", s, n)
		}
	}
	anywhere := map[string]bool{}
	for range 200 {
		anywhere[names(one.order(&call{}))[0]] = true
	}
	if len(anywhere) != len(servers) {
		t.Errorf("calls without an id go to %v", anywhere)
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]address{
		"host":               {"tcp", "host:4730", true},
		"host:1":             {"tcp", "host:1", true},
		"tcp://host:1":       {"tcp", "host:1", false},
		"tls://host":         {"tcp", "host:4730", true},
		"[::1]":              {"tcp", "[::1]:4730", true},
		"::1":                {"tcp", "[::1]:4730", true},
		"[::1]:99":           {"tcp", "[::1]:99", true},
		"unix:/run/x.sock":   {"unix", "/run/x.sock", false},
		"unix:///run/x.sock": {"unix", "/run/x.sock", false},
		"/run/x.sock":        {"unix", "/run/x.sock", false},
	} {
		if a, err := parseAddress(text, true); err != nil || a != want {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
	}
	for _, text := range []string{"", ":1", "tcp://", "http://host", "host:x", "host:70000", "unix:", "[::1"} {
		if a, err := parseAddress(text, false); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
	}
	if _, err := NewClient(Config{Servers: []string{"a", "tcp://a:4730"}}); err == nil {
		t.Error("a server may be named twice")
	}
}
