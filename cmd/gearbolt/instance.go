package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.uber.org/zap"

	"gearbolt/conf"
	"gearbolt/persist"
	"gearbolt/persist/bolt"
	"gearbolt/persist/memory"
	"gearbolt/router/server"
)

// An instance is a server with all that surrounds it in the process.
type instance struct {
	process conf.Process
	inv     *conf.Invocation
	signals chan os.Signal
	wait    wait // of the start

	account      *account // to become; nil: nobody else
	descriptors  int
	memory       int64  // bytes that there are for the process
	memoryFrom   string // who says so
	log          *logger
	certificates *server.Certificates // nil: no TLS
	listeners    []listener
	pidFile      *pidFile // nil: none
	store        persist.Store
	server       *server.Server
	warnings     []string
}

// start does what must be done before the first connection, in this order:
// whatever root alone may open is opened before root is given up, and the
// store is made by the user whose it is. An error leaves nothing behind; it is
// errToldToEnd when ctx has ended.
func (i *instance) start(ctx context.Context) error {
	i.wait = newWait(ctx, i.inv)
	steps := []func() error{
		i.findAccount, i.openLog, i.allowDescriptors, i.allowMemory, i.makeDataDir, i.loadCertificates,
		i.listen, i.openPID, i.becomeUser, i.openStore, i.newServer, i.writePID,
	}
	for _, step := range steps {
		err := step()
		if ctx.Err() != nil {
			err = errToldToEnd
		}
		if err != nil {
			i.giveUp(err)
			return err
		}
	}
	go newCollector(i.memory).run(i.store, i.server.Done())
	for _, l := range i.listeners {
		go i.server.Serve(l, i.tlsFor(l))
	}
	i.announce()
	return nil
}

func (i *instance) findAccount() (err error) {
	if i.account, err = lookupAccount(i.inv.Settings.User); err != nil {
		return i.inv.Fault("user", err)
	}
	return nil
}

// openLog opens the log. gearmand falls back to standard error, and so does
// what stands in for it.
func (i *instance) openLog() (err error) {
	s := i.inv.Settings
	if i.log, err = openLog(&s); err != nil {
		err = i.inv.Fault("log-file", fmt.Errorf("cannot be opened: %w", err))
		if !i.inv.DropIn {
			return err
		}
		i.warnings = append(i.warnings, err.Error()+"; logging to standard error")
		s.LogFile = "stderr"
		if i.log, err = openLog(&s); err != nil {
			return err
		}
	}
	if i.account == nil {
		return nil
	}
	return i.log.sink.owner(i.account.uid, i.account.gid)
}

func (i *instance) allowDescriptors() (err error) {
	if i.descriptors, err = setFileDescriptors(i.inv.Settings.FileDescriptors); err != nil {
		return i.inv.Fault("file-descriptors", err)
	}
	if n := i.inv.Settings.MaxConnections; n > maxConnections(n, i.descriptors) {
		i.warnings = append(i.warnings, fmt.Sprintf("max-connections %d is more than %d file descriptors allow", n, i.descriptors))
	}
	return nil
}

// makeDataDir makes a missing directory, for the user that the process will
// be. One that is there is left as it is, and one that the user can make is
// left to the store, which does so as the user: where another may rename and
// link as he likes, root has no business.
func (i *instance) makeDataDir() error {
	s := &i.inv.Settings
	if s.Store != "bolt" {
		return nil
	}
	uid, gid := -1, -1
	if a := i.account; a != nil {
		if a.owns(existing(s.DataDir)) {
			return nil
		}
		uid, gid = a.uid, a.gid
	}
	if err := bolt.MakeDir(s.DataDir, uid, gid); err != nil {
		return i.inv.Fault("data-dir", fmt.Errorf("cannot be made: %w; give another with --data-dir or GEARBOLT_DATA_DIR", err))
	}
	return nil
}

// existing returns dir, or the nearest directory above it that is there.
func existing(dir string) string {
	for above := filepath.Dir(dir); above != dir; dir, above = above, filepath.Dir(above) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
	}
	return dir
}

func (i *instance) loadCertificates() (err error) {
	s := &i.inv.Settings
	if !s.SecureAny() {
		return nil
	}
	files := server.TLSFiles{CA: s.SSLCAFile, Certificate: s.SSLCertificate, Key: s.SSLKey, RequireClient: s.SSLRequireClientCertificate}
	if i.certificates, err = server.LoadTLS(files, i.certificatesChanged); err != nil {
		return i.inv.Fault("ssl-certificate", fmt.Errorf("cannot be used: %w", err))
	}
	return nil
}

func (i *instance) certificatesChanged(err error) {
	if err != nil {
		i.log.Error("new certificates are not used; the old ones stay", zap.Error(err))
		return
	}
	i.log.Info("new certificates are in use")
}

func (i *instance) tlsFor(l listener) *tls.Config {
	if !l.secure {
		return nil
	}
	return i.certificates.Config()
}

func (i *instance) listen() (err error) {
	i.listeners, err = listenAll(i.wait, i.inv)
	return err
}

func (i *instance) openPID() (err error) {
	path := i.inv.Settings.PIDFile
	if path == "" {
		return nil
	}
	if i.pidFile, err = openPIDFile(path); err != nil {
		return i.faultOfPID(err)
	}
	return nil
}

func (i *instance) faultOfPID(err error) error {
	return i.inv.Fault("pid-file", fmt.Errorf("cannot be written: %w", err))
}

func (i *instance) writePID() error {
	if i.pidFile == nil {
		return nil
	}
	if err := i.pidFile.write(); err != nil {
		return i.faultOfPID(err)
	}
	return nil
}

// removePID removes the file, which the user that the process has become may
// not be allowed to.
func (i *instance) removePID() {
	if i.pidFile == nil {
		return
	}
	if err := i.pidFile.remove(); err != nil {
		i.log.Info("the pid file stays", zap.Error(err))
	}
}

func (i *instance) becomeUser() error {
	if i.account == nil {
		return nil
	}
	for _, l := range i.listeners {
		if err := l.giveTo(i.account); err != nil {
			return err
		}
	}
	if err := i.account.become(); err != nil {
		return i.inv.Fault("user", fmt.Errorf("cannot be switched to: %w", err))
	}
	return nil
}

func (i *instance) openStore() error {
	s := &i.inv.Settings
	if s.Store == "memory" {
		i.store = memory.New()
		return nil
	}
	options := bolt.Options{Dir: s.DataDir, MaxSize: s.StoreMaxSize, MinFree: s.StoreMinFree, UnsafeNoFsync: s.UnsafeNoFsync}
	inUse := func(err error) bool { return errors.Is(err, bolt.ErrInUse) }
	open := func() (*bolt.Store, error) { return bolt.Open(options) }
	store, err := retried(i.wait, inUse, func() (*bolt.Store, error) { return unlessTold(i.wait.ctx, open) })
	if err != nil {
		return i.inv.Fault("data-dir", fmt.Errorf("cannot be used: %w", err))
	}
	i.store = store
	i.warnings = append(i.warnings, store.Warnings()...)
	return nil
}

// loadingGC is the garbage collector's percentage while a store is loaded:
// nearly all that is allocated then stays, so to look through it for garbage
// again and again would make a restart with a long queue take half as long
// again.
const loadingGC = 400

func (i *instance) newServer() (err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(loadingGC))
	i.server, err = server.New(i.options(), interruptible{i.store, i.wait.ctx}, i.log.Logger)
	return err
}

// giveUp takes back what the steps before an error did.
func (i *instance) giveUp(err error) {
	if i.log != nil {
		if i.inv.Settings.LogFile != "stderr" {
			i.log.Error("cannot start", zap.Error(err))
		}
		i.log.flush()
	}
	if i.pidFile != nil {
		i.pidFile.giveUp()
	}
	closeAll(i.listeners)
	if i.server != nil {
		i.server.Close()
	}
	if i.store != nil {
		i.store.Close()
	}
}
