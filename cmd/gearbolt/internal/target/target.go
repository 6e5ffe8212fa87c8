// Package target says which job servers the commands talk to, and opens
// connections to them.
package target

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const defaultPort = "4730"

// An Address is where a server listens and what is spoken there.
type Address struct {
	Network string // "tcp" or "unix"
	Host    string // host:port, or a path
	Secure  bool   // TLS
}

// Parse reads an address: host, host:port, tcp://host:port, tls://host:port,
// unix:path or /path. Where no scheme says otherwise, secure decides about
// TLS.
func Parse(text string, secure bool) (Address, error) {
	path, ok := strings.CutPrefix(text, "unix:")
	if ok || strings.HasPrefix(text, "/") {
		return unixSocket(text, strings.TrimPrefix(path, "//"))
	}
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case !ok:
		rest = text
	case scheme == "tcp", scheme == "tls":
		secure = scheme == "tls"
	default:
		return Address{}, fmt.Errorf("server %q: %q is none of tcp, tls and unix", text, scheme)
	}
	host, err := hostPort(rest)
	if err != nil {
		return Address{}, fmt.Errorf("server %q: %w; give host:port, tls://host:port or unix:/path", text, err)
	}
	return Address{Network: "tcp", Host: host, Secure: secure}, nil
}

func unixSocket(text, path string) (Address, error) {
	if path == "" {
		return Address{}, fmt.Errorf("server %q: there is no path; give unix:/path", text)
	}
	return Address{Network: "unix", Host: path}, nil
}

// hostPort adds the port of Gearman where there is none.
func hostPort(text string) (string, error) {
	host, port := strings.Trim(text, "[]"), defaultPort
	if strings.Count(text, ":") == 1 || strings.Contains(text, "]:") {
		var err error
		if host, port, err = net.SplitHostPort(text); err != nil {
			return "", err
		}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("port %q is no number up to 65535", port)
	}
	if host == "" {
		return "", errors.New("there is no host")
	}
	return net.JoinHostPort(host, port), nil
}

// URL is the address with its scheme, as package clients takes it.
func (a Address) URL() string {
	switch {
	case a.Network == "unix":
		return "unix:" + a.Host
	case a.Secure:
		return (&url.URL{Scheme: "tls", Host: a.Host}).String()
	}
	return (&url.URL{Scheme: "tcp", Host: a.Host}).String()
}

// A Set is the servers of one command.
type Set struct {
	Servers []Address
	Secure  bool          // TLS where an address does not say
	TLS     *tls.Config   // nil: Go's defaults
	Timeout time.Duration // for opening a connection
}

// URLs are the servers as package clients takes them.
func (s *Set) URLs() []string {
	all := make([]string, len(s.Servers))
	for i, a := range s.Servers {
		all[i] = a.URL()
	}
	return all
}

// Named finds a server by its Host, which is what handles carry.
func (s *Set) Named(host string) (Address, bool) {
	for _, a := range s.Servers {
		if a.Host == host {
			return a, true
		}
	}
	return Address{}, false
}

// Dial opens a connection to one of the servers.
func (s *Set) Dial(ctx context.Context, a Address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, a.Network, a.Host)
	if err != nil || !a.Secure {
		return c, err
	}
	config := s.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(a.Host)
	}
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("the TLS handshake failed: %w", err)
	}
	return secure, nil
}
