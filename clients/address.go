package clients

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// An address is where a server listens and what is spoken there.
type address struct {
	network string // "tcp" or "unix"
	host    string // host:port, or a path
	tls     bool
}

const defaultPort = "4730"

var errNoHost = errors.New("no host")

// parseAddress reads an address as [Config.Servers] has it.
func parseAddress(text string, tls bool) (a address, err error) {
	scheme, rest, ok := strings.Cut(text, "://")
	switch path, unix := strings.CutPrefix(text, "unix:"); {
	case unix:
		a = address{network: "unix", host: strings.TrimPrefix(path, "//")}
	case strings.HasPrefix(text, "/"):
		a = address{network: "unix", host: text}
	case !ok:
		a, err = parseTCP(text, tls)
	case scheme == "tcp" || scheme == "tls":
		a, err = parseTCP(rest, scheme == "tls")
	default:
		err = fmt.Errorf("%q is none of tcp, tls and unix", scheme)
	}
	if err == nil && a.host == "" {
		err = errNoHost
	}
	if err != nil {
		return a, fmt.Errorf("clients: server %q: %w", text, err)
	}
	return a, nil
}

func parseTCP(text string, tls bool) (address, error) {
	host, port := text, defaultPort
	bracketed := strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]")
	switch {
	case bracketed:
		host = text[1 : len(text)-1]
	case strings.Count(text, ":") == 1 || strings.HasPrefix(text, "["):
		var err error
		if host, port, err = net.SplitHostPort(text); err != nil {
			return address{}, err
		}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return address{}, fmt.Errorf("port %q is no number up to 65535", port)
	}
	if host == "" {
		return address{}, errNoHost
	}
	return address{network: "tcp", host: net.JoinHostPort(host, port), tls: tls}, nil
}

// serverName is the name that the server's certificate must be for.
func (a address) serverName() string {
	name, _, _ := net.SplitHostPort(a.host)
	return name
}
