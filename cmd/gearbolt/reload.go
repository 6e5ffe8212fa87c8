package main

import (
	"slices"
	"strings"

	"go.uber.org/zap"

	"gearbolt/conf"
)

// reloadable are the settings that change while the server runs.
var reloadable = []string{
	"verbose", "job-retries", "worker-wakeup", "exceptions", "payload-memory", "packet-limit", "outbox-limit",
	"max-connections", "max-connections-per-address", "keepalive", "keepalive-idle", "keepalive-interval",
	"keepalive-count", "tcp-user-timeout", "handshake-timeout", "shutdown-timeout",
}

// reload reopens the log and reads settings and certificates again. What is
// wrong with them is logged and changes nothing.
func (i *instance) reload() {
	if err := i.log.sink.reopen(); err != nil {
		i.log.Error("the log cannot be reopened and goes on where it was", zap.Error(err))
	}
	if i.certificates != nil {
		i.certificatesChanged(i.certificates.Reload())
	}
	inv, err := conf.Parse(i.process)
	if err != nil {
		i.log.Error("the settings stay as they were", zap.Error(err))
		return
	}
	changed := i.inv.Changed(inv)
	later := slices.DeleteFunc(slices.Clone(changed), func(name string) bool { return slices.Contains(reloadable, name) })
	if len(later) > 0 {
		i.log.Warn("changes count from the next start on", zap.String("settings", strings.Join(later, " ")))
	}
	i.take(&inv.Settings)
	i.log.Info("reloaded", zap.String("changed", strings.Join(changed, " ")))
}

// take puts those of the new settings into effect that can be.
func (i *instance) take(s *conf.Settings) {
	next := *s
	next.JobHandlePrefix = i.inv.Settings.JobHandlePrefix
	i.inv.Settings = next
	i.log.level.SetLevel(levelOf(next.Verbose))
	i.server.Reconfigure(i.options())
}
