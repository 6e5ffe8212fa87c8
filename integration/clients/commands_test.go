package clients

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gearbolt/integration/harness"
)

// built holds the compiled programs of this test process; TestMain removes it.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "gearbolt-clients-") })

// compile runs a compiler once and returns the path of what it made.
func compile(name string, command func(out string) []string) func(t testing.TB) string {
	once := sync.OnceValues(func() (string, error) {
		dir, err := built()
		if err != nil {
			return "", err
		}
		out := filepath.Join(dir, name)
		args := command(out)
		if msg, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %v\n%s", strings.Join(args, " "), err, msg)
		}
		return out, nil
	})
	return func(t testing.TB) string {
		t.Helper()
		out, err := once()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func cc(name string) func(testing.TB) string {
	return compile(name, func(out string) []string {
		return []string{"cc", "-O1", "-Wall", "-o", out, "c/" + name + ".c", "c/line.c", "-lgearman"}
	})
}

var (
	cWorker   = cc("worker")
	cClient   = cc("client")
	mikespook = compile("mikespook", func(out string) []string {
		return []string{"go", "build", "-o", out, "./mikespook"}
	})
)

// needs returns a check, made once, that a command runs without an error, as
// it does where a library is installed.
func needs(reason string, command ...string) func(t testing.TB) {
	once := sync.OnceValue(func() error { return exec.Command(command[0], command[1:]...).Run() })
	return func(t testing.TB) {
		t.Helper()
		if err := once(); err != nil {
			harness.Missing(t, reason)
		}
	}
}

var (
	needsHeaders = needs("libgearman-dev is not installed", "test", "-e", "/usr/include/libgearman/gearman.h")
	needsPerl    = needs("libgearman-client-perl is not installed", "perl", "-MGearman::Worker", "-e1")
	needsPerlTLS = needs("libio-socket-ssl-perl is not installed", "perl", "-MGearman::Worker", "-MIO::Socket::SSL", "-e1")
	needsPHP     = needs("php-gearman is not installed", "php", "-r", "exit(class_exists('GearmanClient') ? 0 : 1);")
	needsNode    = needs("the npm packages are not installed (npm ci in integration/clients/node)",
		"node", "-e", "require('./node/node_modules/abraxas'); require('./node/quiet-gearmanode')")
)

func cCommands(t testing.TB) (worker, client []string) {
	harness.Need(t, "cc")
	needsHeaders(t)
	return []string{cWorker(t)}, []string{cClient(t)}
}

func perlCommands(t testing.TB) (worker, client []string) {
	needsPerl(t)
	return []string{"perl", "perl/worker.pl"}, []string{"perl", "perl/client.pl"}
}

func phpCommands(t testing.TB) (worker, client []string) {
	needsPHP(t)
	return []string{"php", "php/worker.php"}, []string{"php", "php/client.php"}
}

func toolCommands(t testing.TB) (worker, client []string) {
	harness.Need(t, "gearman", "perl")
	return []string{"perl", "tool/worker.pl"}, []string{"perl", "tool/client.pl"}
}

func mikespookCommands(t testing.TB) (worker, client []string) {
	return []string{mikespook(t), "worker"}, []string{mikespook(t), "client"}
}

func nodeCommands(library string) func(t testing.TB) (worker, client []string) {
	return func(t testing.TB) (worker, client []string) {
		needsNode(t)
		return []string{"node", "node/" + library + "-worker.js"}, []string{"node", "node/" + library + "-client.js"}
	}
}
