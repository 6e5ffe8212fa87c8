package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

func TestPing(t *testing.T) {
	eachServer(t, func(s *stage) {
		r := s.run("", "ping", "-c", "3", "-i", "1ms")
		if r.code != 0 || r.stderr != "" || strings.Count(r.stdout, s.server.Addr+"  ") != 3 {
			s.Errorf("got %+v", r)
		}
		if r := s.run("", "version", "--server", s.server.Addr); r.code != 0 || !strings.HasPrefix(r.stdout, s.server.Addr+"  ") {
			s.Errorf("got %+v", r)
		}
	})
}

func TestQueues(t *testing.T) {
	eachServer(t, func(s *stage) {
		handles := map[string]string{}
		for _, priority := range []string{"high", "low"} {
			r := s.run("x", "submit", "-b", "--"+priority, "f")
			if r.code != 0 {
				s.Fatalf("got %+v", r)
			}
			handles[priority] = strings.TrimSpace(r.stdout)
		}
		if f := s.status(); len(f) != 1 || f[0].Jobs != 2 || f[0].High != 1 || f[0].Low != 1 || f[0].Server != s.server.Addr {
			s.Errorf("status: %+v", f)
		}
		if r := s.run("", "status"); !strings.Contains(r.stdout, "f               2     1       -    1        -        -") {
			s.Errorf("status:\n%s", r.stdout)
		}
		var jobs []struct {
			Handle, Function, Unique string
			Background               bool
		}
		s.list(&jobs, "jobs")
		if len(jobs) != 2 || !jobs[0].Background || s.ours() && jobs[0].Function != "f" {
			s.Errorf("jobs: %+v", jobs)
		}
		if r := s.run("", "show", handles["low"]); r.code != 0 || !strings.Contains(r.stdout, "state      waits") {
			s.Errorf("show: %+v", r)
		}
		s.says(result{}, "", "cancel", handles["low"])
		s.says(result{}, "", "cancel", s.server.Addr+"//"+handles["high"])
		s.says(result{code: 4, stderr: "gearbolt: H:none:1: there is no such job"}, "", "cancel", "H:none:1")
		s.says(result{code: 4, stderr: "there is no such job"}, "", "show", "H:none:1")
	})
}

func TestShowUnique(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.run("x", "submit", "-b", "f", "--unique", "id")
		var job struct {
			Handle, Unique string
			Running        bool
		}
		s.list(&job, "show", "--unique", "id")
		if job.Unique != "id" || job.Running || s.ours() != (job.Handle != "") {
			s.Errorf("got %+v", job)
		}
		s.says(result{code: 4, stderr: "there is no such job"}, "", "show", "-u", "other")
	})
}

func TestFunctionsAndLimits(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.says(result{}, "", "create-function", "f", "g")
		if f := s.status(); len(f) != 2 {
			s.Errorf("status: %+v", f)
		}
		s.says(result{}, "", "maxqueue", "f", "none", "1", "1")
		s.run("x", "submit", "-b", "f")
		s.says(result{code: 4, stderr: "; try again later, or give it more room with gearbolt maxqueue\n"}, "x", "submit", "-b", "f")
		if r := s.run("x", "submit", "-b", "--high", "f"); r.code != 0 {
			s.Errorf("the limit is not that of the priority: %+v", r)
		}
		if s.ours() {
			s.says(result{stdout: "FUNCTION  HIGH  NORMAL  LOW\nf            -       1    1\n"}, "", "maxqueue")
		} else {
			s.says(result{code: 4, stderr: "does not know this command"}, "", "maxqueue")
		}
		s.says(result{}, "", "drop-function", "g")
		s.says(result{code: 4, stderr: "function not found"}, "", "drop-function", "g")
		if r := s.run("", "__complete", "submit", ""); !strings.HasPrefix(r.stdout, "f\n") {
			s.Errorf("completion: %+v", r)
		}
	})
}

func TestMaxqueuebytes(t *testing.T) {
	eachServer(t, func(s *stage) {
		if !s.ours() {
			for _, command := range []string{"maxqueuebytes", "maxqueuebytes f 1", "limits", "counters"} {
				s.says(result{code: 4, stderr: "does not know this command"}, "", strings.Fields(command)...)
			}
			return
		}
		s.says(result{}, "", "maxqueuebytes", "f", "1KiB")
		s.says(result{stdout: "FUNCTION  BYTES\nf          1024\n"}, "", "maxqueuebytes", "f")
		s.says(result{code: 4, stderr: "give it more room with gearbolt maxqueuebytes\n"}, strings.Repeat("x", 2000), "submit", "-b", "f")
		s.says(result{stdout: "COUNTER                     COUNT\njobs_refused_maxqueuebytes      1\n"}, "", "counters", "jobs_refused_maxqueuebytes")
		var limits []struct {
			Server, Setting string
			Limit, Used     int
		}
		s.list(&limits, "limits", "max-functions", "max-jobs")
		if len(limits) != 2 || limits[0].Setting != "max-jobs" || limits[1].Limit == 0 || limits[1].Server != s.server.Addr {
			s.Errorf("limits: %+v", limits)
		}
		if r := s.run("", "__complete", "limits", "max-j"); !strings.HasPrefix(r.stdout, "max-jobs\n") {
			s.Errorf("completion: %+v", r)
		}
		s.says(result{}, "", "maxqueuebytes", "f", "none")
		s.says(result{stdout: "FUNCTION  BYTES\n"}, "", "maxqueuebytes")
	})
}

// A server that takes no more connections says so.
func TestTurnedAway(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t, "--max-connections", "1")}
	harness.Await(s, "the only connection", func() bool { // others may not have ended yet
		nc, err := net.Dial("tcp", s.server.Addr)
		if err != nil {
			return false
		}
		t.Cleanup(func() { nc.Close() })
		fmt.Fprintln(nc, "version")
		line, _ := bufio.NewReader(nc).ReadString('\n')
		return strings.HasPrefix(line, "OK ")
	})
	s.says(result{code: 4, stderr: "max-connections is reached"}, "", "status")
	s.says(result{code: 5, stderr: "max-connections is reached; try again later"}, "x", "submit", "f")
}

func TestWorkers(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.works("f", "g", "--id", "me", "--", "true")
		var all []struct {
			ID        string
			Functions []string
		}
		s.list(&all, "workers")
		if len(all) != 1 || all[0].ID != "me" || len(all[0].Functions) != 2 {
			s.Errorf("got %+v", all)
		}
		s.list(&all, "workers", "--all")
		if len(all) < 2 {
			s.Errorf("the asking connection is not among %+v", all)
		}
	})
}

// Two servers, of which one is not there: the other's answer is shown.
func TestSeveralServers(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	other := &stage{t, harness.Gearbolt(t)}
	s.run("x", "submit", "-b", "here")
	other.run("x", "submit", "-b", "there")
	both := s.server.Addr + "," + other.server.Addr
	if f := s.status("--server", both); len(f) != 2 || f[0].Function != "here" || f[1].Server != other.server.Addr {
		s.Errorf("got %+v", f)
	}
	handle := strings.TrimSpace(other.run("x", "submit", "-b", "there", "--server", other.server.Addr+","+s.server.Addr).stdout)
	if !strings.HasPrefix(handle, other.server.Addr+"//") {
		s.Errorf("a handle without its server: %q", handle)
	}
	s.says(result{}, "", "cancel", handle)
	none := harness.FreeAddr(t)
	s.says(result{code: 5, stderr: "H:none:1: dial tcp " + none}, "", "cancel", "H:none:1", "--server", none+","+s.server.Addr)
	r := s.run("", "status", "--server", none+","+s.server.Addr)
	if r.code != 5 || !strings.Contains(r.stdout, "here") || !strings.HasPrefix(r.stderr, "gearbolt: "+none+": ") || strings.Count(r.stderr, "\n") != 1 {
		s.Errorf("got %+v", r)
	}
}

func TestScheduledJob(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	s.works("f", "--", "cat")
	for _, when := range [][]string{{"--in", "1h"}, {"--at", time.Now().AddDate(0, 0, 2).Format(time.DateOnly)}} {
		if r := s.run("x", append([]string{"submit", "f"}, when...)...); r.code != 0 || r.stdout == "" {
			s.Errorf("%v: got %+v", when, r)
		}
	}
	s.says(result{stdout: "x"}, "x", "submit", "f")
	if f := s.status("f"); len(f) != 1 || f[0].Jobs != 2 || f[0].Running != 0 {
		s.Errorf("got %+v", f)
	}
}

func TestShutdown(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	s := &stage{t, harness.Gearbolt(t, "--listen", "unix:"+socket)}
	s.says(result{code: 4, stderr: "give its unix socket"}, "", "shutdown")
	s.says(result{}, "", "shutdown", "--graceful", "--server", "unix:"+socket)
	if err := s.server.Wait(patience); err != nil {
		s.Error(err)
	}
}

func TestWatch(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	s.run("", "create-function", "f")
	out, w := pipe(t)
	cmd := s.command("status", "--watch=1ms", "-o", "json")
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for range 3 {
		if line, err := out.ReadString('\n'); err != nil || !strings.Contains(line, `"function":"f"`) {
			t.Errorf("got %q, %v", line, err)
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	go io.Copy(io.Discard, out) // so that it is not stopped by a full pipe
	s.exits(cmd, 0)
}
