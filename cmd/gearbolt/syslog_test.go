package main

import (
	"log/syslog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestSyslogSeverities(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	daemon, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	w, err := syslog.Dial("unixgram", path, syslog.LOG_DAEMON, "gearbolt")
	if err != nil {
		t.Fatal(err)
	}
	log := zap.New(journal{w}.core(newEncoder(false), zapcore.DebugLevel)).With(zap.Int("n", 7))
	for want, say := range map[string]func(string, ...zap.Field){
		"<31>": log.Debug, "<30>": log.Info, "<28>": log.Warn, "<27>": log.Error, "<26>": log.DPanic,
	} {
		say("words")
		line := make([]byte, 4096)
		daemon.SetReadDeadline(time.Now().Add(patience))
		n, err := daemon.Read(line)
		if got := string(line[:n]); err != nil || !strings.HasPrefix(got, want) || !strings.Contains(got, `"words","n":7}`) {
			t.Errorf("got %q, %v; want it to begin with %s", got, err, want)
		}
	}
}
