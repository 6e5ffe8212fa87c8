package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/conf"
)

// A listener is one open socket.
type listener struct {
	net.Listener
	secure bool // connections begin with TLS
}

// String is what a client would dial.
func (l listener) String() string {
	switch address := l.Addr(); {
	case address.Network() == "unix":
		return "unix:" + address.String()
	case l.secure:
		return "tls://" + address.String()
	default:
		return address.String()
	}
}

// A predecessor that is ending may still hold its port and its store. gearmand
// waits for its port, and its start scripts count on that; nobody else likes to
// wait long for a mistake.
const (
	startPatience  = 2 * time.Second
	dropInPatience = 20 * time.Second
)

// patienceOf is how long a port or a store in use is waited for.
func patienceOf(inv *conf.Invocation) time.Duration {
	if inv.DropIn {
		return dropInPatience
	}
	return startPatience
}

// listenAll opens every endpoint of the settings. An address of a family that
// the machine does not have is left out, unless nothing else is left.
func listenAll(inv *conf.Invocation) (open []listener, err error) {
	defer func() {
		if err != nil {
			closeAll(open)
		}
	}()
	until := time.Now().Add(patienceOf(inv))
	var missing error
	for _, e := range inv.Settings.Listen {
		list, err := listen(inv, e, until)
		open = append(open, list...)
		if err != nil {
			err = fmt.Errorf("listen %q (%s) cannot be opened: %w", e, inv.Origins["listen"], err)
			if !noSuchFamily(err) {
				return open, err
			}
			missing = err
		}
	}
	if len(open) == 0 {
		return nil, missing
	}
	return open, nil
}

func closeAll(list []listener) {
	for _, l := range list {
		l.Close()
	}
}

// noSuchFamily reports whether the machine has no such address because it
// lacks IPv6, or IPv4, altogether.
func noSuchFamily(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)
}

// listen opens all addresses of one endpoint: a name may have several.
func listen(inv *conf.Invocation, e conf.Endpoint, until time.Time) ([]listener, error) {
	network, address := e.Address(inv.Settings.Port)
	if network == "unix" {
		l, err := listenUnix(address)
		if err != nil {
			return nil, err
		}
		return []listener{{Listener: l}}, nil
	}
	addresses, err := resolve(address)
	if err != nil {
		return nil, err
	}
	var open []listener
	var missing error
	for _, a := range addresses {
		l, err := listenTCP(a, inv.Settings.Backlog, until)
		switch {
		case err == nil:
			open = append(open, listener{l, inv.Settings.Secure(e)})
		case noSuchFamily(err):
			missing = err
		default:
			return open, err
		}
	}
	if len(open) == 0 {
		return nil, missing
	}
	return open, nil
}

// resolve returns the addresses, with ports, of "host:port"; no host is every
// address of the machine.
func resolve(address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, err
	}
	ips, err := lookup(host)
	if err != nil {
		return nil, err
	}
	list := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		list[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return list, nil
}

// lookup finds the addresses of a host. An address is its own: the resolver
// would take :: for 0.0.0.0.
func lookup(host string) ([]netip.Addr, error) {
	if host == "" {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return net.DefaultResolver.LookupNetIP(context.Background(), "ip", host)
}

// listenTCP opens one address, and waits for one that is in use until then.
// The two families have a socket each, as gearmand's.
func listenTCP(a netip.AddrPort, backlog int, until time.Time) (net.Listener, error) {
	network := "tcp4"
	if a.Addr().Is6() {
		network = "tcp6"
	}
	config := net.ListenConfig{KeepAlive: -1} // the server sets it
	for {
		l, err := config.Listen(context.Background(), network, a.String())
		if errors.Is(err, unix.EADDRINUSE) && time.Now().Before(until) {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if err == nil && backlog > 0 {
			err = setBacklog(l.(*net.TCPListener), backlog)
		}
		return l, err
	}
}

// setBacklog says listen(2) again: Linux takes the new bound.
func setBacklog(l *net.TCPListener, backlog int) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.Listen(int(fd), backlog) }); err != nil {
		return err
	}
	return failed
}
