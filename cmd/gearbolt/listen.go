package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

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

// listenAll opens every endpoint of the settings. An address of a family that
// the machine does not have is left out, unless nothing else is left.
func listenAll(w wait, inv *conf.Invocation) (open []listener, err error) {
	defer func() {
		if err != nil {
			closeAll(open)
		}
	}()
	var missing error
	for _, e := range inv.Settings.Listen {
		list, err := listen(w, inv, e)
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
func listen(w wait, inv *conf.Invocation, e conf.Endpoint) ([]listener, error) {
	network, address := e.Address(inv.Settings.Port)
	if network == "unix" {
		l, err := retried(w, inUse, func() (net.Listener, error) { return listenUnix(address) })
		if err != nil {
			return nil, err
		}
		return []listener{{Listener: l}}, nil
	}
	addresses, err := resolve(w.ctx, address)
	if err != nil {
		return nil, err
	}
	var open []listener
	var missing error
	for _, a := range addresses {
		l, err := retried(w, inUse, func() (net.Listener, error) { return listenTCP(w.ctx, a, inv.Settings.Backlog) })
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
func resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, err
	}
	ips, err := lookup(ctx, host)
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
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if host == "" {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func inUse(err error) bool { return errors.Is(err, unix.EADDRINUSE) }

// listenTCP opens one address. The two families have a socket each, as
// gearmand's.
func listenTCP(ctx context.Context, a netip.AddrPort, backlog int) (net.Listener, error) {
	network := "tcp4"
	if a.Addr().Is6() {
		network = "tcp6"
	}
	config := net.ListenConfig{KeepAlive: -1} // the server sets it
	l, err := config.Listen(ctx, network, a.String())
	if err == nil && backlog > 0 {
		err = setBacklog(l.(*net.TCPListener), backlog)
	}
	return l, err
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
