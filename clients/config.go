package clients

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"

	"gearbolt/protocol"
)

// A Config says which servers there are and how to reach them. The zero value
// of every field is a sensible default, and the zero Config means the server
// on this machine.
type Config struct {
	// Servers are the addresses of the job servers:
	//
	//	host, host:port        TCP, or TLS where the field TLS is set; port 4730 unless named
	//	tcp://host:port        TCP
	//	tls://host:port        TLS
	//	unix:/path, /path      a unix socket
	//
	// Without any it is [DefaultServer].
	Servers []string

	// TLS is how to speak TLS: roots, client certificates, versions. Unless it
	// names a server, the host of the address is what the certificate must be for.
	TLS *tls.Config

	// Pick says which server a call goes to first. Workers serve all.
	Pick Pick

	// ID names this process to the server (SET_CLIENT_ID), for its operator.
	ID string

	// NoParkedGrabs makes workers ask for jobs in the old way even where a
	// server would keep their grabs (see [Worker]); for comparisons.
	NoParkedGrabs bool

	// Dial opens connections instead of a [net.Dialer]; network is "tcp" or
	// "unix". TLS, where it applies, is put on top.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// DialTimeout bounds opening a connection: the name's look-up, the
	// connection, the TLS handshake and the server's first word. Default 5 s.
	DialTimeout time.Duration

	// MinBackoff and MaxBackoff bound the pause before a server that was lost
	// is tried again: it begins with the one (default 50 ms), doubles up to the
	// other (default 5 s), and between half and all of it is waited. It begins
	// anew after a connection that has lasted longer than the pause.
	MinBackoff, MaxBackoff time.Duration

	// A server of which nothing was heard for HealthInterval (default 30 s;
	// negative: never) is sent ECHO_REQ. When no byte moves for HealthTimeout
	// (default 10 s) after that, the connection counts as lost.
	HealthInterval, HealthTimeout time.Duration

	// PacketLimit is the largest packet, in bytes, that is sent or taken.
	// Default 64 MiB.
	PacketLimit int

	// Logger is told when servers are lost and found and when a handler
	// panics. Default [slog.Default].
	Logger *slog.Logger
}

// DefaultServer is the address of a server on this machine.
const DefaultServer = "127.0.0.1:4730"

// withDefaults returns c with no field left at a zero that stands for a default.
func (c Config) withDefaults() Config {
	if len(c.Servers) == 0 {
		c.Servers = []string{DefaultServer}
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.PacketLimit <= 0 {
		c.PacketLimit = protocol.DefaultPacketLimit
	}
	orDuration(&c.DialTimeout, 5*time.Second)
	orDuration(&c.MinBackoff, 50*time.Millisecond)
	orDuration(&c.MaxBackoff, 5*time.Second)
	c.MaxBackoff = max(c.MinBackoff, c.MaxBackoff)
	orDuration(&c.HealthTimeout, 10*time.Second)
	if c.HealthInterval == 0 {
		c.HealthInterval = 30 * time.Second
	}
	return c
}

func orDuration(d *time.Duration, fallback time.Duration) {
	if *d <= 0 {
		*d = fallback
	}
}

// addresses reads c.Servers. An address that stands there twice is an error:
// a worker would serve it twice.
func (c Config) addresses() ([]address, error) {
	var all []address
	seen := make(map[string]bool)
	for _, text := range c.Servers {
		a, err := parseAddress(text, c.TLS != nil)
		if err != nil {
			return nil, err
		}
		if seen[a.host] {
			return nil, errors.New("clients: server " + text + " is named twice")
		}
		seen[a.host] = true
		all = append(all, a)
	}
	return all, nil
}

// limits are those that apply to what a server says.
func (c *Config) limits() protocol.Limits { return protocol.Limits{Packet: c.PacketLimit} }
