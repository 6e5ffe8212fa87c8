package main

import (
	"log/syslog"
	"strings"

	"go.uber.org/zap/zapcore"
)

// A journal is the system's log. It stamps the time and the process itself.
type journal struct{ w *syslog.Writer }

func dialSyslog() (sink, error) {
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, "gearbolt")
	if err != nil {
		return nil, err
	}
	return journal{w}, nil
}

func (j journal) core(e zapcore.Encoder, level zapcore.LevelEnabler) zapcore.Core {
	return &journalCore{LevelEnabler: level, encoder: e, w: j.w}
}

func (journal) terminal() bool       { return false }
func (journal) reopen() error        { return nil } // the writer dials again by itself
func (journal) owner(int, int) error { return nil }

// A journalCore sends each entry with its own severity.
type journalCore struct {
	zapcore.LevelEnabler
	encoder zapcore.Encoder
	w       *syslog.Writer
}

// With is part of zapcore.Core.
func (c *journalCore) With(fields []zapcore.Field) zapcore.Core {
	e := c.encoder.Clone()
	for _, f := range fields {
		f.AddTo(e)
	}
	return &journalCore{c.LevelEnabler, e, c.w}
}

// Check is part of zapcore.Core.
func (c *journalCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write is part of zapcore.Core.
func (c *journalCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	b, err := c.encoder.EncodeEntry(entry, fields)
	if err != nil {
		return err
	}
	defer b.Free()
	line := strings.TrimSuffix(b.String(), "\n")
	switch {
	case entry.Level >= zapcore.DPanicLevel:
		return c.w.Crit(line)
	case entry.Level == zapcore.ErrorLevel:
		return c.w.Err(line)
	case entry.Level == zapcore.WarnLevel:
		return c.w.Warning(line)
	case entry.Level == zapcore.InfoLevel:
		return c.w.Info(line)
	}
	return c.w.Debug(line)
}

// Sync is part of zapcore.Core; nothing is held back.
func (c *journalCore) Sync() error { return nil }
