package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/cmd/gearbolt/internal/admin"
)

// A process is a server's, on this machine.
type process struct{ pid int }

// observe finds the server's process. The server tells its number; that it is
// one of this machine, and the one that listens there, is looked up.
func (s *stand) observe(ctx context.Context) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	nc, err := s.set.Dial(ctx, s.server)
	if err != nil {
		return nil, err
	}
	c := admin.New(ctx, nc)
	defer c.Close()
	pid, err := c.PID()
	if err != nil {
		return nil, err
	}
	p := &process{pid}
	if err := p.check(nc); err != nil {
		return nil, err
	}
	if _, err := p.cpu(); err != nil {
		return nil, err
	}
	return p, nil
}

// check makes sure that the process is at the other end of nc.
func (p *process) check(nc net.Conn) error {
	if u, ok := nc.(*net.UnixConn); ok {
		return p.checkPeer(u)
	}
	near, ok := nc.LocalAddr().(*net.TCPAddr)
	far, ok2 := nc.RemoteAddr().(*net.TCPAddr)
	if !ok || !ok2 || !near.IP.Equal(far.IP) {
		return errors.New("the server is not on this machine")
	}
	for _, socket := range listeners(far.Port) {
		if p.holds(socket) {
			return nil
		}
	}
	return fmt.Errorf("process %d is not the one that listens on port %d", p.pid, far.Port)
}

// checkPeer asks the kernel who made a unix socket.
func (p *process) checkPeer(u *net.UnixConn) error {
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	switch {
	case err != nil || failed != nil:
		return errors.Join(err, failed)
	case int(cred.Pid) != p.pid:
		return fmt.Errorf("process %d is not the one that listens there", p.pid)
	}
	return nil
}

// A socket is one that listens: its inode and its owner.
type socket struct{ inode, uid string }

// listeners finds the TCP sockets that listen on a port.
func listeners(port int) (all []socket) {
	const listen = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			cells := strings.Fields(lines.Text())
			if len(cells) > 9 && strings.HasSuffix(cells[1], suffix) && cells[3] == listen {
				all = append(all, socket{inode: cells[9], uid: cells[7]})
			}
		}
		f.Close()
	}
	return all
}

// holds reports whether the process has a socket open. Of another user's
// process that cannot be seen; there the socket's owner must do.
func (p *process) holds(s socket) bool {
	dir := fmt.Sprintf("/proc/%d/fd", p.pid)
	fds, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrPermission) {
		info, err := os.Stat(fmt.Sprintf("/proc/%d", p.pid))
		if err != nil {
			return false
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		return ok && strconv.FormatUint(uint64(stat.Uid), 10) == s.uid
	}
	for _, fd := range fds {
		if to, _ := os.Readlink(dir + "/" + fd.Name()); to == "socket:["+s.inode+"]" {
			return true
		}
	}
	return false
}

// cpu returns the processor time that the process has had, in user and system
// mode, to the nanosecond: its CPU clock may be read by everybody.
func (p *process) cpu() (time.Duration, error) {
	const scheduled = 2
	d, err := clock(int32(^p.pid<<3 | scheduled))
	if err != nil {
		return 0, fmt.Errorf("the clock of process %d cannot be read: %w", p.pid, err)
	}
	return d, nil
}

// ownCPU returns the processor time that this process has had.
func ownCPU() time.Duration {
	d, _ := clock(unix.CLOCK_PROCESS_CPUTIME_ID) // every Linux has it
	return d
}

func clock(id int32) (time.Duration, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(id, &ts)
	return time.Duration(ts.Nano()), err
}

// memory returns the resident set, in bytes.
func (p *process) memory() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0
	}
	cells := strings.Fields(string(b))
	if len(cells) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(cells[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
