package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gearbolt/conf"
)

func open(t *testing.T, args ...string) ([]listener, error) {
	t.Helper()
	inv, err := conf.Parse(conf.Process{Args: append([]string{"gearbolt", "--store=memory"}, args...)})
	if err != nil {
		t.Fatal(err)
	}
	list, err := listenAll(newWait(t.Context(), inv), inv)
	t.Cleanup(func() { closeAll(list) })
	return list, err
}

func TestListenKinds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	list, err := open(t, "--port=0", "--backlog=5", "--listen=127.0.0.1,tls://127.0.0.1,unix:"+path, "--ssl-certificate=c", "--ssl-key=k")
	if err != nil || len(list) != 3 {
		t.Fatalf("got %v, %v", list, err)
	}
	if s := list[0].String(); !strings.HasPrefix(s, "127.0.0.1:") || list[0].secure {
		t.Errorf("got %s", s)
	}
	if s := list[1].String(); !strings.HasPrefix(s, "tls://127.0.0.1:") || !list[1].secure {
		t.Errorf("got %s", s)
	}
	if s := list[2].String(); s != "unix:"+path {
		t.Errorf("got %s", s)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("got %v, %v", info, err)
	}
}

// The two families are two sockets, so that they can be listened on apart
// and together.
func TestEveryAddress(t *testing.T) {
	_, port, _ := net.SplitHostPort(freeAddress(t))
	list, err := open(t, "--port="+port, "--listen=0.0.0.0,::")
	if err != nil || len(list) == 0 || list[0].Addr().String() != "0.0.0.0:"+port {
		t.Fatalf("got %v, %v", list, err)
	}
	if len(list) == 2 && list[1].Addr().String() != "[::]:"+port {
		t.Errorf("got %v", list)
	}
}

func TestFamilyThatIsMissing(t *testing.T) {
	// TEST-NET-3 (RFC 5737) is nobody's address: to listen there gives the
	// error of a machine without IPv6 that is to listen on ::1.
	if list, err := open(t, "--port=0", "--listen=203.0.113.1,127.0.0.1"); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	if list, err := open(t, "--port=0", "--listen=203.0.113.1"); err == nil {
		t.Errorf("got %v", list)
	}
}

func TestUnixSocketOfTheDead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if _, err := open(t, "--listen=unix:"+path); err != nil {
		t.Errorf("a dead socket was in the way: %v", err)
	}
	if _, err := open(t, "--listen=unix:"+path); err == nil {
		t.Error("a living socket was taken away")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, "--listen=unix:"+file); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, err := os.ReadFile(file); string(b) != "mine" {
		t.Errorf("the file has changed: %q, %v", b, err)
	}
}
