package main

import (
	"bytes"
	"crypto/tls"
	"slices"
	"strings"

	"go.uber.org/zap"

	"gearbolt/conf"
)

// reloadable are the settings that change while the server runs.
var reloadable = []string{
	"verbose", "job-retries", "worker-wakeup", "exceptions", "payload-memory", "packet-limit", "outbox-limit",
	"max-connections", "max-connections-per-address", "read-timeout", "queue-memory", "outbox-memory", "read-memory", "commit-memory",
	"max-jobs", "max-jobs-per-function", "max-queue-bytes", "max-queue-bytes-per-function", "max-functions",
	"max-functions-per-connection", "max-clients-per-job", "keepalive", "keepalive-idle", "keepalive-interval",
	"keepalive-count", "tcp-user-timeout", "handshake-timeout", "shutdown-timeout",
}

// reload reopens the log and reads settings and certificates again. What is
// wrong with them is logged and changes nothing.
func (i *instance) reload() {
	if err := i.log.sink.reopen(); err != nil {
		i.log.Error("the log cannot be reopened and goes on where it was", zap.Error(err))
	}
	i.reloadCertificates()
	next, err := conf.Parse(i.process)
	if err != nil {
		i.log.Error("the settings stay as they were", zap.Error(err))
		return
	}
	var now, later []string
	for _, name := range i.inv.Changed(next) {
		if slices.Contains(reloadable, name) {
			now = append(now, name)
		} else {
			later = append(later, name)
		}
	}
	if len(later) > 0 {
		i.log.Warn("changes count from the next start on", zap.String("settings", strings.Join(later, " ")))
	}
	i.take(next, now)
	i.log.Info("reloaded", zap.String("changed", strings.Join(now, " ")))
}

// take puts those of the new settings into effect that are named. The others
// stay as they run, so that the next reload compares with what is in effect.
func (i *instance) take(next *conf.Invocation, names []string) {
	i.inv.Adopt(next, names...)
	i.log.level.SetLevel(levelOf(i.inv.Settings.Verbose))
	i.server.Reconfigure(i.options())
}

// reloadCertificates says so only when they have changed.
func (i *instance) reloadCertificates() {
	if i.certificates == nil {
		return
	}
	before := i.tlsInUse()
	if err := i.certificates.Reload(); err != nil || !sameTLS(before, i.tlsInUse()) {
		i.certificatesChanged(err)
	}
}

// tlsInUse is what the next handshake goes by.
func (i *instance) tlsInUse() *tls.Config {
	c, err := i.certificates.Config().GetConfigForClient(&tls.ClientHelloInfo{})
	if err != nil {
		return nil
	}
	return c
}

// sameTLS reports whether two configurations show the same certificate and ask
// for the same.
func sameTLS(a, b *tls.Config) bool {
	return a != nil && b != nil && a.ClientCAs.Equal(b.ClientCAs) &&
		slices.EqualFunc(a.Certificates, b.Certificates, func(a, b tls.Certificate) bool {
			return slices.EqualFunc(a.Certificate, b.Certificate, bytes.Equal)
		})
}
