package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/admin"
)

// run runs a command line that reaches no server.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	code = Run(Process{
		Args:    args,
		Stdin:   strings.NewReader(""),
		Stdout:  &out,
		Stderr:  &errs,
		Getenv:  func(string) string { return "" },
		Version: "1.2.3",
		Server: func(args []string, stdout io.Writer) int {
			fmt.Fprintln(stdout, "server:", args)
			return 9
		},
	})
	return out.String(), errs.String(), code
}

func TestIsServers(t *testing.T) {
	for line, want := range map[string]bool{
		"":                   true,
		"--port 1":           true,
		"-p 1":               true,
		"--version":          true,
		"serve --help":       true,
		"config":             true,
		"gearmand -d":        true,
		"--help":             false,
		"-h":                 false,
		"help":               false,
		"status":             false,
		"-s x status":        false,
		"--server=x status":  false,
		"--tls-ca f status":  false,
		"nosuch --port 4730": false,
	} {
		if got := IsServers(strings.Fields(line)); got != want {
			t.Errorf("gearbolt %s: got %v", line, got)
		}
	}
}

func TestWrongCallsEndWithOneLine(t *testing.T) {
	for line, want := range map[string]string{
		"statsu":                             `command "statsu" is unknown; did you mean status?`,
		"zzzzzz":                             `command "zzzzzz" is unknown; gearbolt --help lists all`,
		"status --foo":                       "unknown flag: --foo; gearbolt status --help tells more",
		"status -o yaml":                     "give table or json",
		"status --watch=-1s":                 "is in the past",
		"submit":                             "something is missing: gearbolt submit FUNCTION",
		"submit a b c":                       `argument "c" is one too many`,
		"submit f x --high --low":            "[high low]",
		"submit f x --at tomorrow":           `--at "tomorrow" is no time`,
		"submit f x --in 1s --high":          "has normal priority",
		"submit f x --at=":                   `--at "" is no time`,
		"submit f x --at @12x":               `--at "@12x" is no time`,
		"submit f x --timeout -1s":           "cannot be negative",
		"submit f x --retry -1":              "cannot be negative",
		"submit f x --server unix:":          "there is no path",
		"submit f x --lines":                 `leave out "x"`,
		"submit f --lines -n 0":              "give at least 1",
		"submit f x --server http://x":       `"http" is none of tcp, tls and unix`,
		"work f":                             "give functions and a command",
		"work f --":                          "give functions and a command",
		"work -- true":                       "give functions and a command",
		"work f -n 0 -- true":                "give at least 1",
		"work f -- /nonexistent":             "the command cannot be run",
		"work f --timeout -1s -- true":       "cannot be negative",
		"workers x":                          `argument "x" has no meaning here`,
		"maxqueue f 1 2":                     "give one limit for all priorities, or three",
		"maxqueue f x":                       `"x" is no number of jobs`,
		"maxqueuebytes f x":                  `"x" is no size; give a number of bytes`,
		"maxqueuebytes f 1 2":                `argument "2" is one too many`,
		"ping -i 0":                          "must be more than 0",
		"bench nosuch":                       `there is no kind of load "nosuch"`,
		"bench --rounds 0":                   "a number below 1",
		"bench --warm-up -1s":                "is in the past",
		"bench --function f":                 "give --keep",
		"bench --library=callers":            "give both or workers",
		"bench --parked maybe":               "give auto, on or off",
		"bench drain --library":              "not with drain",
		"bench --server a,b":                 "one server is measured",
		"bench --server a --against a":       "is the same server",
		"ping --tls --tls-ca /nonexistent/x": "the CA's certificate cannot be read",
	} {
		stdout, stderr, code := run(t, strings.Fields(line)...)
		if code != exitError || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "gearbolt: ") || !strings.Contains(stderr, want) {
			t.Errorf("%s: got %q, %q, %d", line, stdout, stderr, code)
		}
	}
}

func TestUnreachable(t *testing.T) {
	nowhere := "unix:" + filepath.Join(t.TempDir(), "none")
	for _, line := range []string{"status", "workers", "jobs", "ping", "submit f x", "submit f x -b", "submit f x --in 0", "cancel H:x:1", "show H:x:1",
		"maxqueue f 1", "maxqueuebytes", "limits", "counters", "create-function f", "shutdown", "bench", "version"} {
		stdout, stderr, code := run(t, append(strings.Fields(line), "--server", nowhere)...)
		if code != exitUnreachable || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "--server or GEARBOLT_SERVERS") {
			t.Errorf("%s: got %q, %q, %d", line, stdout, stderr, code)
		}
	}
}

func TestExitCodes(t *testing.T) {
	call := func(err error) error {
		return &clients.Error{Op: "call", Function: "f", Server: "s", Handle: "h", Err: err}
	}
	for _, tc := range []struct {
		err  error
		code int
		text string
	}{
		{call(clients.ErrFailed), exitFailed, "f at s (h): the function failed"},
		{call(&clients.Exception{Data: []byte("a\nb")}), exitException, "f at s (h): exception: a b"},
		{call(&clients.ServerError{Code: "QUEUE_ERROR", Text: "no space left"}), exitRefused, "; try again later"},
		{call(&clients.ServerError{Code: "QUEUE_ERROR", Text: "Job queue is full"}), exitRefused, "more room with gearbolt maxqueue"},
		{call(&clients.ServerError{Code: "QUEUE_ERROR", Text: "Job queue is full: maxqueuebytes is reached"}), exitRefused, "more room with gearbolt maxqueuebytes"},
		{call(&clients.ServerError{Code: "QUEUE_ERROR", Text: "Job queue is full: max-jobs is reached"}), exitRefused, "gearbolt limits shows"},
		{call(fmt.Errorf("%w: the server says QUEUE_ERROR: Too many connections", clients.ErrNoServer)), exitUnreachable, "; try again later"},
		{&admin.Refusal{Code: "UNKNOWN_COMMAND"}, exitRefused, "the server does not know this command"},
		{call(clients.ErrNoServer), exitUnreachable, "start a server there"},
		{call(clients.ErrLost), exitLost, "the job may have run"},
		{call(context.DeadlineExceeded), exitTime, "there was no answer in time"},
		{os.ErrDeadlineExceeded, exitTime, "there was no answer in time"},
		{&admin.Refusal{Code: "UNKNOWN_JOB"}, exitRefused, "UNKNOWN_JOB"},
		{errors.New("x"), exitError, "x"},
		{&coded{code: 9}, 9, ""},
	} {
		code, text := verdict(t.Context(), tc.err)
		if code != tc.code || !strings.Contains(text, tc.text) || strings.Contains(text, "\n") {
			t.Errorf("%v: got %d, %q", tc.err, code, text)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupt{15})
	if code, _ := verdict(ctx, call(context.Canceled)); code != 143 {
		t.Errorf("SIGTERM: got %d", code)
	}
}

func TestServersCommandsAreHandedOver(t *testing.T) {
	for line, want := range map[string]string{
		"serve --port 1": "server: [serve --port 1]\n",
		"help gearmand":  "server: [gearmand --help]\n",
	} {
		if stdout, _, code := run(t, strings.Fields(line)...); stdout != want || code != 9 {
			t.Errorf("%s: got %q, %d", line, stdout, code)
		}
	}
}

func TestVersion(t *testing.T) {
	if stdout, stderr, code := run(t, "version"); stdout != "gearbolt 1.2.3\n" || stderr != "" || code != exitOK {
		t.Errorf("got %q, %q, %d", stdout, stderr, code)
	}
	if stdout, _, _ := run(t, "version", "-o", "json"); stdout != "{\"version\":\"1.2.3\"}\n" {
		t.Errorf("got %q", stdout)
	}
}

func TestHelpTeachesByExample(t *testing.T) {
	for _, c := range new(app).root().Commands() {
		if !c.IsAvailableCommand() || c.DisableFlagParsing {
			continue
		}
		stdout, _, code := run(t, c.Name(), "--help")
		if code != exitOK || !strings.Contains(stdout, "Examples:\n  ") {
			t.Errorf("%s --help: got %q, %d", c.Name(), stdout, code)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if stdout, _, code := run(t, "completion", shell); code != exitOK || !strings.Contains(stdout, "gearbolt") {
			t.Errorf("%s: got %.80q, %d", shell, stdout, code)
		}
	}
	stdout, _, _ := run(t, "__complete", "s")
	for _, name := range []string{"serve", "show", "shutdown", "status", "submit"} {
		if !strings.Contains(stdout, "\n"+name+"\t") && !strings.HasPrefix(stdout, name+"\t") {
			t.Errorf("%s is not among %q", name, stdout)
		}
	}
}

func TestManual(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := run(t, "man", dir); code != exitOK || stderr != "" {
		t.Fatalf("got %q, %d", stderr, code)
	}
	for page, want := range map[string]string{
		"gearbolt.1":        "gearbolt\\-submit(1)",
		"gearbolt-submit.1": ".SH EXAMPLES",
		"gearbolt-serve.1":  "server: [serve \\-\\-help]",
		"gearbolt-work.1":   "\\-\\-grace duration",
	} {
		b, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil || !strings.Contains(string(b), want) || strings.Contains(string(b), "<nil>") {
			t.Errorf("%s: %v, no %q in %.200q", page, err, want, b)
		}
	}
	if _, _, code := run(t, "man", filepath.Join(dir, "none")); code != exitError {
		t.Errorf("a directory that is not there: got %d", code)
	}
}
