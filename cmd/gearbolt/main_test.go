package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	for name, want := range map[string]string{"gearbolt": "gearbolt ", "/usr/sbin/gearmand": "gearmand 2.0.0+gearbolt."} {
		stdout, stderr, code := output(t, name, "--version")
		if !strings.HasPrefix(stdout, want) || stderr != "" || code != exitOK {
			t.Errorf("%s --version: got %q, %q, %d", name, stdout, stderr, code)
		}
	}
}

func TestConfigShowsOrigins(t *testing.T) {
	stdout, stderr, code := output(t, "gearbolt", "config", "--port", "99", "--data-dir", "/d")
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "flag --port") || !strings.Contains(stdout, "default") {
		t.Errorf("got %q, %q, %d", stdout, stderr, code)
	}
}

func TestWrongCallsEndWithOneLine(t *testing.T) {
	socket, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	taken, dir := socket.Addr().String(), t.TempDir()
	for line, want := range map[string]string{
		"gearbolt --port x":                                          `gearbolt: port "x" (flag --port)`,
		"gearmand --por 1":                                           `gearmand: unrecognised option "--por"`,
		"gearmand --daemon --por 1":                                  `gearmand: unrecognised option "--por"`,
		"gearbolt --user nosuchuser":                                 `gearbolt: user "nosuchuser" (flag --user) is unknown`,
		"gearbolt --data-dir " + dir + " --listen " + taken:          "address already in use",
		"gearbolt --daemon --data-dir " + dir + " --listen " + taken: "address already in use",
		"gearbolt --data-dir /proc/none/x":                           `data-dir "/proc/none/x" (flag --data-dir) cannot be made`,
		"gearbolt --log-file /proc/none/x --data-dir " + dir:         `log-file "/proc/none/x" (flag --log-file) cannot be opened`,
		"gearbolt --port 0 --pid-file /proc/x --data-dir " + dir:     `pid-file "/proc/x" (flag --pid-file) cannot be written`,
		"gearbolt --port 0 --ssl --ssl-certificate /c --ssl-key /k":  "/c",
	} {
		stdout, stderr, code := output(t, strings.Fields(line)...)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: got %q, %q, %d", line, stdout, stderr, code)
		}
	}
}

func TestCheckArgs(t *testing.T) {
	stdout, stderr, code := output(t, "gearmand", "--check-args", "--threads=4", "--listen=localhost")
	if code != exitOK || stdout+stderr != "" {
		t.Errorf("got %q, %q, %d", stdout, stderr, code)
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	p := begin(t)
	_, stderr, code := output(t, "gearbolt", "--port", "0", "--data-dir", p.dir)
	if code != exitUsage || !strings.Contains(stderr, p.dir) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got %q, %d", stderr, code)
	}
}

func TestDropInByName(t *testing.T) {
	dir := t.TempDir()
	addr := freeAddress(t)
	host, port, _ := net.SplitHostPort(addr)
	cmd := command("/usr/sbin/gearmand", "--listen="+host, "--port="+port, "--threads=10", "--job-retries=0", "--log-file="+filepath.Join(dir, "log"))
	cmd.Env = append(cmd.Env, "GEARBOLT_DATA_DIR="+filepath.Join(dir, "data"))
	p := &program{t: t, cmd: cmd, addr: addr, log: filepath.Join(dir, "log"), end: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	p.await("the answer", func() bool { return strings.HasPrefix(ask(addr, "version"), "OK 2.0.0+gearbolt.") })
	p.await("the notes", func() bool {
		return strings.Contains(p.logged(), "--threads") && strings.Contains(p.logged(), "serving")
	})
	if got := ask(addr, "verbose"); got != "OK ERROR\n" {
		t.Errorf("verbose: got %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		t.Error(err)
	}
}

func TestMemoryStoreIsSaid(t *testing.T) {
	p := begin(t, "--store=memory")
	p.await("the start-up line", func() bool { return strings.Contains(p.logged(), `"data":"memory"`) })
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Errorf("a data directory was made: %v", err)
	}
}

// What names servers for the tools is no setting that somebody misspelt.
func TestVariablesOfTheTools(t *testing.T) {
	t.Setenv("GEARBOLT_SERVERS", "jobs")
	t.Setenv("GEARBOLT_PORT", "4731")
	env := serversEnvironment()
	if slices.Contains(env, "GEARBOLT_SERVERS=jobs") || !slices.Contains(env, "GEARBOLT_PORT=4731") {
		t.Errorf("got %q", env)
	}
}
