package dropin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// Fedora's and RHEL's gearmand.service runs "/usr/sbin/gearmand $OPTIONS" in
// the foreground, OPTIONS being empty, and reloads with SIGHUP.
func TestRedHatUnit(t *testing.T) {
	machine(t, func(t *testing.T) {
		cmd := asUser(t, "gearman", []string{gearmandPath}, "OPTIONS=")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for _, addr := range []string{"127.0.0.1:4730", "[::1]:4730"} {
			harness.Await(t, addr, func() bool { return strings.HasPrefix(ask(addr, "version"), "OK 2.0.0+gearbolt.") })
		}
		stop(t, cmd.Process.Pid)
		if err := cmd.Wait(); err != nil {
			t.Errorf("ended with %v", err)
		}
		if !strings.Contains(stderr.String(), "/var/log/gearmand.log") || !strings.Contains(stderr.String(), `"serving"`) {
			t.Errorf("a log that cannot be opened goes to standard error; there was %q", stderr.String())
		}
	})
}

// OMD's and Naemon's start scripts run gearmand as the site's user, with all
// files in the site.
func TestOMDSite(t *testing.T) {
	machine(t, func(t *testing.T) {
		site := "/var/lib/gearman"
		argv := []string{
			gearmandPath, "--port=4731", "--pid-file=" + site + "/gearmand.pid", "--threads=10", "--job-retries=0",
			"--log-file=" + site + "/gearmand.log", "--verbose=ERROR", "--listen=localhost", "--daemon",
		}
		if out, err := asUser(t, "gearman", argv).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("got %q, %v", out, err)
		}
		pid := wantServing(t, site+"/gearmand.pid", "127.0.0.1:4731")
		b, err := os.ReadFile(site + "/gearmand.log")
		if err != nil || strings.Count(string(b), "--threads") != 1 || strings.Count(string(b), "--job-retries") != 1 {
			t.Errorf("what has no meaning is to be said once; got %q, %v", b, err)
		}
		wantOwner(t, filepath.Join(site, ".local/share/gearbolt"), "gearman")
		stop(t, pid)
	})
}

// Container images put the port into the environment and the options into a
// file.
func TestContainer(t *testing.T) {
	machine(t, func(t *testing.T) {
		if err := os.WriteFile("/run/gearmand.conf", []byte("--listen=0.0.0.0\n--log-file=stderr\n--verbose=INFO\n-q builtin\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := asUser(t, "root", []string{gearmandPath, "--config-file=/run/gearmand.conf"}, "GEARMAND_PORT=4777", "GEARBOLT_DATA_DIR=/run/data")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		harness.Await(t, "the answer", func() bool { return ask("127.0.0.1:4777", "verbose") == "OK INFO\n" })
		wantOwner(t, "/run/data", "root")
		stop(t, cmd.Process.Pid)
		if err := cmd.Wait(); err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}
