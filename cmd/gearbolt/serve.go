package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"gearbolt/conf"
)

// serve runs the server until it is told to stop, and returns the exit code.
func serve(p conf.Process, inv *conf.Invocation, stderr io.Writer) int {
	if inv.Settings.Daemon && !isDaemon() {
		return daemonize(p.Args, inv.Settings.LogFile, stderr)
	}
	out := starterOf(p.Args, stderr)
	i := &instance{process: p, inv: inv, signals: make(chan os.Signal, 8)}
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(i.signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1)
	if err := i.startUnlessTold(); errors.Is(err, errToldToEnd) {
		out.failed(err)
		return exitOK
	} else if err != nil {
		return out.failed(err)
	}
	out.ready()
	return i.run()
}

// startUnlessTold starts, but for a signal to end. One that comes too late for
// that is still among i.signals.
func (i *instance) startUnlessTold() error {
	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	return i.start(ctx)
}

// run obeys signals until the server ends.
func (i *instance) run() int {
	for {
		select {
		case <-i.server.Done():
			return i.stop()
		case s := <-i.signals:
			switch s {
			case syscall.SIGHUP:
				i.reload()
			case syscall.SIGUSR1:
				i.server.Drain()
			default:
				return i.stop()
			}
		}
	}
}

// stop lets running jobs end and closes everything. After a failure of the
// store it closes nothing that could wait for the disk: what is not closed
// looks like a crash, which every store survives.
func (i *instance) stop() int {
	ctx, cancel := context.WithTimeout(context.Background(), i.inv.Settings.ShutdownTimeout)
	defer cancel()
	go i.awaitImpatience(cancel)
	err := i.server.Err()
	if err == nil {
		err = i.server.Shutdown(ctx)
	}
	i.removePID() // before the store is let go: a successor that waits for it writes its own then
	if err == nil {
		err = i.store.Close()
	}
	if err != nil {
		i.sayFailed(err)
		i.log.flush()
		return exitStore
	}
	i.log.always.Info("stopped")
	i.log.flush()
	return exitOK
}

// sayFailed says once, whatever the log's level, why the process ends. The
// server has said what it failed of, as far as the level let it.
func (i *instance) sayFailed(err error) {
	if i.server.Err() == nil || !i.log.Core().Enabled(zap.ErrorLevel) {
		i.log.always.Error("ended by the store", zap.Error(err))
	}
}

// awaitImpatience ends the wait for running jobs at the second signal, and
// lets a third kill the process.
func (i *instance) awaitImpatience(cancel func()) {
	for s := range i.signals {
		if s == syscall.SIGTERM || s == syscall.SIGINT {
			signal.Reset(syscall.SIGTERM, syscall.SIGINT)
			cancel()
			return
		}
	}
}
