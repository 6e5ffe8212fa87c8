package main

import (
	"os"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"gearbolt/conf"
)

// A logger is where everything is said once the process has started.
type logger struct {
	*zap.Logger             // as much as the setting verbose asks for
	always      *zap.Logger // what is said whatever verbose is: the start, the end, and what has no effect
	level       zap.AtomicLevel
	sink        sink
	dropped     *atomic.Uint64 // lines that were not written, since too many were like them
}

// A sink is what log lines go into.
type sink interface {
	core(zapcore.Encoder, zapcore.LevelEnabler) zapcore.Core
	terminal() bool
	reopen() error // the file may have been moved away
	owner(uid, gid int) error
}

func openLog(s *conf.Settings) (*logger, error) {
	sink, err := openSink(s.LogFile)
	if err != nil {
		return nil, err
	}
	l := &logger{level: zap.NewAtomicLevelAt(levelOf(s.Verbose)), sink: sink, dropped: new(atomic.Uint64)}
	encoder := newEncoder(s.LogFormat == "console" || s.LogFormat == "auto" && sink.terminal())
	l.Logger = zap.New(sampled(sink.core(encoder, l.level), l.dropped))
	l.always = zap.New(sink.core(encoder, zapcore.InfoLevel))
	return l, nil
}

// What any peer can bring about, such as a refused connection, and what goes on
// and on, such as a full disk, is not to fill the disk with the log: of lines
// with the same message, this many are written in a second, and then one in
// so many. The rest is counted, and the server says how many they were.
const (
	sampleFirst      = 20
	sampleThereafter = 1000
)

func sampled(core zapcore.Core, dropped *atomic.Uint64) zapcore.Core {
	count := zapcore.SamplerHook(func(_ zapcore.Entry, d zapcore.SamplingDecision) {
		if d&zapcore.LogDropped != 0 {
			dropped.Add(1)
		}
	})
	return zapcore.NewSamplerWithOptions(core, time.Second, sampleFirst, sampleThereafter, count)
}

func openSink(name string) (sink, error) {
	switch name {
	case "none":
		return nowhere{}, nil
	case "stderr":
		return &file{f: os.Stderr}, nil
	case "syslog":
		return dialSyslog()
	}
	f := &file{path: name}
	return f, f.reopen()
}

// levelOf translates gearmand's names. zap has nothing between ERROR and what
// ends the process, nor between WARNING and INFO.
func levelOf(name string) zapcore.Level {
	switch {
	case name == "DEBUG":
		return zapcore.DebugLevel
	case name == "INFO", name == "NOTICE":
		return zapcore.InfoLevel
	case name == "WARNING":
		return zapcore.WarnLevel
	case name == "ERROR":
		return zapcore.ErrorLevel
	}
	return zapcore.FatalLevel
}

func newEncoder(human bool) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.TimeKey, c.MessageKey = "time", "message"
	c.EncodeTime = zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00")
	c.EncodeDuration = zapcore.StringDurationEncoder
	c.EncodeLevel = func(l zapcore.Level, e zapcore.PrimitiveArrayEncoder) { e.AppendString(nameOf(l)) }
	if human {
		c.ConsoleSeparator = " "
		return zapcore.NewConsoleEncoder(c)
	}
	return zapcore.NewJSONEncoder(c)
}

func nameOf(l zapcore.Level) string {
	i := slices.IndexFunc(conf.Levels, func(name string) bool { return levelOf(name) == l })
	if i < 0 || l == zapcore.FatalLevel {
		return "FATAL"
	}
	if l == zapcore.InfoLevel {
		return "INFO" // NOTICE is the same level
	}
	return conf.Levels[i]
}

// nowhere drops every line.
type nowhere struct{}

func (nowhere) core(zapcore.Encoder, zapcore.LevelEnabler) zapcore.Core { return zapcore.NewNopCore() }
func (nowhere) terminal() bool                                          { return false }
func (nowhere) reopen() error                                           { return nil }
func (nowhere) owner(int, int) error                                    { return nil }

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// flush gives the disk the last lines.
func (l *logger) flush() {
	l.Sync() // a terminal or a pipe cannot be synced, and that is no matter
}
