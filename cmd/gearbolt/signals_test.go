package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestStopsWithZero(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		pidFile := filepath.Join(t.TempDir(), "pid")
		p := begin(t, "--pid-file", pidFile)
		if got := readPID(t, pidFile); got != p.cmd.Process.Pid {
			t.Errorf("pid file has %d, want %d", got, p.cmd.Process.Pid)
		}
		p.signal(s)
		p.wantExit(exitOK)
		if _, err := os.Stat(pidFile); !os.IsNotExist(err) {
			t.Errorf("the pid file is still there: %v", err)
		}
		for _, want := range []string{`"serving"`, p.addr, p.dir, `"recovered jobs":0`, `"stopped"`} {
			if !strings.Contains(p.logged(), want) {
				t.Errorf("the log does not say %s:\n%s", want, p.logged())
			}
		}
	}
}

func TestJobsComeBack(t *testing.T) {
	dir := t.TempDir()
	p := beginIn(t, dir)
	client := p.dial()
	client.send(submitJobBackground, "f", "", "x")
	handle := client.want(jobCreated)[0]
	p.signal(syscall.SIGKILL)
	<-p.end
	p = beginIn(t, dir)
	p.await("the start-up line", func() bool { return strings.Contains(p.logged(), `"recovered jobs":1`) })
	worker := p.dial()
	worker.send(canDo, "f")
	worker.send(grabJob)
	if got := worker.want(jobAssign)[0]; got != handle {
		t.Errorf("the job came back as %s, want %s", got, handle)
	}
}

func TestRunningJobMayFinish(t *testing.T) {
	p := begin(t, "--shutdown-timeout=1h")
	client, worker, handle := p.runningJob()
	p.signal(syscall.SIGTERM)
	p.await("the end of accepting", func() bool {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	worker.send(workComplete, handle, "done")
	if got := client.want(workComplete); got[1] != "done" {
		t.Errorf("got result %q", got)
	}
	p.wantExit(exitOK)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := begin(t, "--shutdown-timeout=1h")
	p.runningJob()
	p.signal(syscall.SIGTERM)
	p.await("the first signal", func() bool { return strings.Contains(p.logged(), "shutting down") })
	p.signal(syscall.SIGTERM)
	p.wantExit(exitOK)
}

func TestShutdownTimeout(t *testing.T) {
	p := begin(t, "--shutdown-timeout=1ms")
	p.runningJob()
	p.signal(syscall.SIGTERM)
	p.wantExit(exitOK)
}

func TestDrain(t *testing.T) {
	p := begin(t)
	client, worker, handle := p.runningJob()
	p.signal(syscall.SIGUSR1)
	p.await("the end of accepting", func() bool { return ask(p.addr, "version") == "" })
	client.send(submitJob, "f", "", "y")
	second := client.want(jobCreated)[0]
	worker.send(workComplete, handle, "1")
	client.want(workComplete)
	worker.send(grabJob)
	worker.want(jobAssign)
	worker.send(workComplete, second, "2")
	client.want(workComplete)
	p.wantExit(exitOK)
}

func TestHangUpReopensTheLog(t *testing.T) {
	p := begin(t)
	if err := os.Rename(p.log, p.log+".1"); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.await("the new log", func() bool { return strings.Contains(p.logged(), `"reloaded"`) })
	old, err := os.ReadFile(p.log + ".1")
	if err != nil || !strings.Contains(string(old), "serving") || strings.Contains(string(old), "reloaded") {
		t.Errorf("got old log %q, %v", old, err)
	}
}

func TestHangUpReloadsSettings(t *testing.T) {
	config := filepath.Join(t.TempDir(), "g.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("verbose: info\n")
	p := begin(t, "--config-file", config)
	write("verbose: debug\nport: 7\n")
	p.signal(syscall.SIGHUP)
	p.await("the new level", func() bool { return ask(p.addr, "verbose") == "OK DEBUG\n" })
	p.await("the note", func() bool { return strings.Contains(p.logged(), `"settings":"port"`) })
	p.await("the end of it", func() bool { return strings.Count(p.logged(), `"reloaded"`) == 1 })
	reload := func(times int) {
		t.Helper()
		p.signal(syscall.SIGHUP)
		p.await("the reload", func() bool { return strings.Count(p.logged(), `"reloaded"`) == times })
	}
	reload(2)
	if got := strings.Count(p.logged(), `"settings":"port"`); got != 2 {
		t.Errorf("a change that waits for a start was noted %d times, want again at each reload:\n%s", got, p.logged())
	}
	write("verbose: debug\n")
	reload(3)
	if got := strings.Count(p.logged(), `"settings":`); got != 2 {
		t.Errorf("a change that was taken back is noted:\n%s", p.logged())
	}
	write("verbose: loud\n")
	p.signal(syscall.SIGHUP)
	p.await("the complaint", func() bool { return strings.Contains(p.logged(), `loud`) })
	if got := ask(p.addr, "verbose"); got != "OK DEBUG\n" {
		t.Errorf("after a broken file: got %q", got)
	}
}
