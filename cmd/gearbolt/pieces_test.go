package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"gearbolt/conf"
	"gearbolt/persist"
	"gearbolt/persist/memory"
	"gearbolt/router"
)

func TestLevelNames(t *testing.T) {
	for name, want := range map[string]string{
		"FATAL": "", "ALERT": "", "CRITICAL": "", "ERROR": "ERROR", "WARNING": "WARNING ERROR",
		"NOTICE": "INFO WARNING ERROR", "INFO": "INFO WARNING ERROR", "DEBUG": "DEBUG INFO WARNING ERROR",
	} {
		path := filepath.Join(t.TempDir(), "log")
		l, err := openLog(&conf.Settings{LogFile: path, Verbose: name, LogFormat: "console"})
		if err != nil {
			t.Fatal(err)
		}
		l.Debug("m")
		l.Info("m")
		l.Warn("m")
		l.Error("m")
		b, _ := os.ReadFile(path)
		var got []string
		for line := range strings.Lines(string(b)) {
			got = append(got, strings.Fields(line)[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestLogFormats(t *testing.T) {
	for format, json := range map[string]bool{"auto": true, "json": true, "console": false} {
		path := filepath.Join(t.TempDir(), "log")
		l, err := openLog(&conf.Settings{LogFile: path, Verbose: "ERROR", LogFormat: format})
		if err != nil {
			t.Fatal(err)
		}
		l.always.Info("said", zap.Int("n", 3))
		if b, _ := os.ReadFile(path); strings.HasPrefix(string(b), "{") != json || !strings.Contains(string(b), "said") {
			t.Errorf("%s: got %q", format, b)
		}
	}
}

func TestLogNowhere(t *testing.T) {
	l, err := openLog(&conf.Settings{LogFile: "none", Verbose: "DEBUG"})
	if err != nil || l.Core().Enabled(zapcore.ErrorLevel) || l.sink.reopen() != nil {
		t.Errorf("got %v, %v", l, err)
	}
}

func TestMaxConnections(t *testing.T) {
	for _, c := range []struct{ setting, descriptors, want int }{
		{0, 1048, 1000}, {10, 1048, 10}, {5000, 1048, 1000}, {0, 10, 1},
	} {
		if got := maxConnections(c.setting, c.descriptors); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

func TestHandlePrefix(t *testing.T) {
	if got := handlePrefix("mine"); got != "mine" {
		t.Errorf("got %q", got)
	}
	if got := handlePrefix(""); !strings.HasPrefix(got, "H:") || len(got) > router.MaxPrefix {
		t.Errorf("got %q", got)
	}
	// What conf lets through, the router takes.
	longest := strings.Repeat("p", router.MaxPrefix)
	for prefix, ok := range map[string]bool{longest: true, longest + "p": false} {
		_, err := conf.Parse(conf.Process{Args: []string{"gearbolt", "--job-handle-prefix", prefix}, Root: true})
		if (err == nil) != ok {
			t.Errorf("%d bytes: %v", len(prefix), err)
		}
	}
}

func TestKeepAlive(t *testing.T) {
	got := keepAlive(&conf.Settings{Keepalive: true, KeepaliveIdle: time.Minute})
	if want := (net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: -1, Count: -1}); got != want {
		t.Errorf("got %+v", got)
	}
}

// A failingStore keeps nothing and does not know what is on its disk.
type failingStore struct{ *memory.Store }

func (failingStore) Commit(_ []persist.Change, done func(error)) {
	go done(errors.New("input/output error"))
}

// A store's failure ends the process with 74, and with one line about it in the
// log, whatever is logged.
func TestFatalStoreEndsWith74(t *testing.T) {
	for _, level := range conf.Levels {
		log := filepath.Join(t.TempDir(), "log")
		i := failing(t, "--log-file="+log, "--verbose="+level)
		p := &program{t: t, addr: i.listeners[0].Addr().String()}
		p.dial().send(submitJobBackground, "f", "", "x")
		if code := i.run(); code != exitStore {
			t.Errorf("%s: ended with %d", level, code)
		}
		i.server.Close()
		if b, err := os.ReadFile(log); err != nil || strings.Count(string(b), "input/output error") != 1 {
			t.Errorf("%s: got log %q, %v", level, b, err)
		}
	}
}

// failing returns a server whose store fails at the first commit.
func failing(t *testing.T, args ...string) *instance {
	t.Helper()
	inv, err := conf.Parse(conf.Process{Args: append([]string{"gearbolt", "--store=memory", "--port=0"}, args...)})
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{inv: inv, signals: make(chan os.Signal), wait: newWait(t.Context(), inv), store: failingStore{memory.New()}}
	if err := errors.Join(i.openLog(), i.listen(), i.newServer()); err != nil {
		t.Fatal(err)
	}
	go i.server.Serve(i.listeners[0], nil)
	return i
}

func TestRepeatedLinesAreSampled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := openLog(&conf.Settings{LogFile: path, Verbose: "INFO"})
	if err != nil {
		t.Fatal(err)
	}
	for range 900 { // in two seconds at most
		l.Warn("refused", zap.String("from", "somebody else"))
		l.always.Info("said")
	}
	l.Warn("something else")
	b, _ := os.ReadFile(path)
	text := string(b)
	if n := strings.Count(text, "refused"); n < sampleFirst || n > 5*sampleFirst {
		t.Errorf("%d of 900 lines were written", n)
	}
	if strings.Count(text, "said") != 900 || strings.Count(text, "something else") != 1 {
		t.Errorf("lines are missing that nothing repeats")
	}
}
