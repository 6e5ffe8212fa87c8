package main

import (
	"os"
	"runtime/debug"
	"sync"

	"go.uber.org/zap/zapcore"
)

// A file is a log in a file that can be moved away and reopened, or in what
// the process was given as standard error.
type file struct {
	path string // "" for standard error, which is never reopened

	mu sync.Mutex
	f  *os.File
}

func (l *file) core(e zapcore.Encoder, level zapcore.LevelEnabler) zapcore.Core {
	return zapcore.NewCore(e, l, level)
}

func (l *file) terminal() bool { return isTerminal(l.f) }

// Write makes file a zapcore.WriteSyncer.
func (l *file) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(b)
}

// Sync makes file a zapcore.WriteSyncer.
func (l *file) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Sync()
}

// reopen opens the file under its name again. When that fails, the log goes on
// where it was. A crash of the process is written there, too.
func (l *file) reopen() error {
	if l.path == "" {
		return nil
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.f
	l.f = f
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// owner gives the file to a user, who must be able to reopen it.
func (l *file) owner(uid, gid int) error {
	if l.path == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Chown(uid, gid)
}
