package server

import (
	"net"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// setSocketOptions sets what every TCP connection needs: no Nagle delay (Go's
// default), and a way to notice that the other end has vanished.
func (s *Server) setSocketOptions(nc net.Conn) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	s.mu.Lock()
	keepAlive, timeout := s.opts.KeepAlive, s.opts.UserTimeout
	s.mu.Unlock()
	if err := tcp.SetKeepAliveConfig(keepAlive); err != nil {
		s.log.Debug("keep-alive not set", zap.Error(err))
	}
	if timeout <= 0 {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(timeout.Milliseconds())); err != nil {
			s.log.Debug("TCP_USER_TIMEOUT not set", zap.Error(err))
		}
	})
}
