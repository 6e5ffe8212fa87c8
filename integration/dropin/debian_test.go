package dropin

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	unitPath = "/lib/systemd/system/gearman-job-server.service"
	initPath = "/etc/init.d/gearman-job-server"
)

// A unit is what we understand of a systemd unit: the service's settings.
type unit map[string]string

func readUnit(t *testing.T, path string) unit {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	u := unit{}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			u[name] = value
		}
	}
	return u
}

// params reads PARAMS from the unit's EnvironmentFile.
func (u unit) params(t *testing.T) string {
	t.Helper()
	file := strings.TrimPrefix(u["EnvironmentFile"], "-")
	out, err := exec.Command("sh", "-c", `. "$1"; printf %s "$PARAMS"`, "sh", file).Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("%s: got %q, %v", file, out, err)
	}
	return string(out)
}

// start does what systemd does to start the unit. For Type=forking it looks
// for the pid file as soon as the first process has ended.
func (u unit) start(t *testing.T) (pid int) {
	t.Helper()
	pre := strings.Fields(u["ExecStartPre"])
	if out, err := exec.Command(pre[0], pre[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("ExecStartPre: %v\n%s", err, out)
	}
	params := u.params(t)
	argv := strings.Fields(strings.ReplaceAll(u["ExecStart"], "$PARAMS", params))
	if out, err := asUser(t, u["User"], argv, "PARAMS="+params).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%q: got %q, %v", argv, out, err)
	}
	return wantServing(t, u["PIDFile"], "127.0.0.1:4730")
}

// dataDir is where jobs are, whoever starts the server: systemd as gearman, or
// the init script as root, which tells the server to become gearman.
const dataDir = "/var/lib/gearman/.local/share/gearbolt"

// A machine that changes from one way of starting to the other keeps its jobs.
func TestDebianUnitAfterInitScript(t *testing.T) {
	machine(t, func(t *testing.T) {
		if out, err := exec.Command(initPath, "start").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		u := readUnit(t, unitPath)
		pid := wantServing(t, u["PIDFile"], "127.0.0.1:4730")
		submitBackground(t, "127.0.0.1:4730")
		stop(t, pid)
		pid = u.start(t)
		if got := ask("127.0.0.1:4730", "status"); got != "f\t1\t0\t0\n" {
			t.Errorf("after the change the status is %q", got)
		}
		wantNoFile(t, "/var/lib/gearbolt")
		stop(t, pid)
	})
}

func TestDebianUnit(t *testing.T) {
	machine(t, func(t *testing.T) {
		u := readUnit(t, unitPath)
		if u["Type"] != "forking" || u["User"] != "gearman" {
			t.Fatalf("got unit %v", u)
		}
		pid := u.start(t)
		submitBackground(t, "127.0.0.1:4730")
		stop(t, pid)
		wantNoFile(t, u["PIDFile"])

		pid = u.start(t)
		if got := ask("127.0.0.1:4730", "status"); got != "f\t1\t0\t0\n" {
			t.Errorf("after a restart the status is %q", got)
		}
		log := "/var/log/gearman-job-server/gearmand.log"
		wantOwner(t, log, "gearman")
		b, err := os.ReadFile(log)
		if err != nil || strings.Count(string(b), `"serving"`) != 2 || !strings.Contains(string(b), `"recovered jobs":1`) {
			t.Errorf("got log %q, %v", b, err)
		}
		stop(t, pid)
	})
}

func TestDebianInitScript(t *testing.T) {
	machine(t, func(t *testing.T) {
		service := func(word string) {
			t.Helper()
			out, err := exec.Command(initPath, word).CombinedOutput()
			if err != nil {
				t.Fatalf("%s %s: %v\n%s", initPath, word, err, out)
			}
		}
		const pidFile, addr = "/run/gearman/gearmand.pid", "127.0.0.1:4730"
		service("start")
		pid := wantServing(t, pidFile, addr)
		wantOwner(t, dataDir, "gearman")
		service("status")
		// "restart" does not wait for the end of the old server and so fails
		// now and then, with gearmand more often than not.
		ending(t, pid, func() { service("stop") })
		wantNoFile(t, pidFile)
		service("start")
		pid = wantServing(t, pidFile, addr)
		ending(t, pid, func() { service("stop") })
	})
}
