package harness

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Memory returns how much memory the server's process has by a line of
// /proc/PID/status: RssAnon, what is its own and in memory now (a store's file,
// which it has mapped, is not), or VmHWM, the most that ever was in memory. It is
// in bytes.
func (s *Server) Memory(t testing.TB, line string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), line+":")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatalf("%s of the server: %v", line, err)
	}
	return kib << 10
}
