package conf

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// An Endpoint is one place to listen on: a unix socket, or a TCP host and port.
type Endpoint struct {
	Scheme string // "unix", "tcp" (never TLS), "tls" (always), or "" (as the setting ssl says)
	Path   string // of a unix socket; the rest is TCP's
	Host   string // a name or an address; "" is every address
	Port   int    // if HasPort

	HasPort bool
}

// Address returns what net.Listen wants; port stands in where e names none.
func (e Endpoint) Address(port int) (network, address string) {
	if e.Scheme == "unix" {
		return "unix", e.Path
	}
	if e.HasPort {
		port = e.Port
	}
	return "tcp", net.JoinHostPort(e.Host, strconv.Itoa(port))
}

func (e Endpoint) String() string {
	if e.Scheme == "unix" {
		return "unix:" + e.Path
	}
	s := e.Host
	switch {
	case e.HasPort:
		s = net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	case strings.Contains(e.Host, ":"):
		s = "[" + e.Host + "]"
	}
	if e.Scheme != "" {
		return e.Scheme + "://" + s
	}
	return s
}

var errAbstract = errors.New("is an abstract socket, which has no permissions: every user of the machine could shut the server down through it; give unix:/path")

var errEndpoint = errors.New("is no address; give host, host:port, [v6]:port, tcp://host:port, tls://host:port or unix:/path")

func parseEndpoint(s string) (Endpoint, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		switch {
		case path == "":
			return Endpoint{}, errEndpoint
		case path[0] == '@' || path[0] == 0: // package net takes either for one
			return Endpoint{}, errAbstract
		}
		return Endpoint{Scheme: "unix", Path: path}, nil
	}
	var e Endpoint
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		if scheme != "tcp" && scheme != "tls" {
			return e, errEndpoint
		}
		e.Scheme, s = scheme, rest
	}
	return e, e.parseHost(s)
}

// parseHost reads "host", "host:port", ":port", "[v6]", "[v6]:port" and the
// bare "v6", which gearmand takes.
func (e *Endpoint) parseHost(s string) error {
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		s = strings.TrimSuffix(inner, "]")
		if !strings.Contains(s, ":") || !isAddress(s) {
			return errEndpoint
		}
	}
	e.Host = s
	if strings.Contains(s, ":") && !isAddress(s) {
		host, p, err := net.SplitHostPort(s)
		if err != nil || (&port{&e.Port}).Set(p) != nil {
			return errEndpoint
		}
		e.Host, e.HasPort = host, true
	}
	every := e.Host == "" && e.HasPort
	if every || isAddress(e.Host) || e.Host != "" && !strings.ContainsAny(e.Host, ":/[]@") {
		return nil
	}
	return errEndpoint
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// endpoints is a list, separated by commas or blanks.
type endpoints struct{ p *[]Endpoint }

func (v *endpoints) Set(s string) error {
	var list []Endpoint
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		e, err := parseEndpoint(word)
		if err != nil {
			return err
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return errEndpoint
	}
	*v.p = list
	return nil
}

func (v *endpoints) kind() string   { return "address" }
func (v *endpoints) String() string { return strings.Join(v.plain().([]string), ",") }

func (v *endpoints) plain() any {
	list := make([]string, len(*v.p))
	for i, e := range *v.p {
		list[i] = e.String()
	}
	return list
}
