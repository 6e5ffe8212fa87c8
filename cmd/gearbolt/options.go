package main

import (
	"net"
	"os"
	"time"

	"go.uber.org/zap"

	"gearbolt/conf"
	"gearbolt/router"
	"gearbolt/router/server"
)

// linger has the deletes of a queue that drains share some 200 commits a second.
const linger = 5 * time.Millisecond

// options translates the settings for the server.
func (i *instance) options() server.Options {
	s := &i.inv.Settings
	b := budgetOf(i.inv, i.memory)
	return server.Options{
		Router: router.Config{
			HandlePrefix:  handlePrefix(s.JobHandlePrefix),
			JobRetries:    s.JobRetries,
			WorkerWakeup:  s.WorkerWakeup,
			Linger:        linger,
			Exceptions:    s.Exceptions,
			PayloadMemory: b.payloads,
			Limits:        limits(s, b),
			Version:       protocolVersion(),
			Verbose:       s.Verbose,
			PID:           os.Getpid(),
		},
		PacketLimit:              int(b.packet),
		OutboxLimit:              int(s.OutboxLimit),
		MaxConnections:           maxConnections(s.MaxConnections, i.descriptors),
		MaxConnectionsPerAddress: s.MaxConnectionsPerAddress,
		KeepAlive:                keepAlive(s),
		UserTimeout:              s.TCPUserTimeout,
		HandshakeTimeout:         s.HandshakeTimeout,
		ReadTimeout:              s.ReadTimeout,
		OutboxMemory:             b.outboxes,
		ReadMemory:               b.reads,
		CommitMemory:             b.commits,
		LogLinesDropped:          i.log.dropped.Load,
	}
}

// limits are those of the router.
func limits(s *conf.Settings, b budget) router.Limits {
	return router.Limits{
		Jobs:                  s.MaxJobs,
		JobsPerFunction:       s.MaxJobsPerFunction,
		QueueBytes:            s.MaxQueueBytes,
		QueueBytesPerFunction: s.MaxQueueBytesPerFunction,
		Functions:             s.MaxFunctions,
		FunctionsPerConn:      s.MaxFunctionsPerConnection,
		ClientsPerJob:         s.MaxClientsPerJob,
		Memory:                b.queue,
		Replies:               b.outboxes,
	}
}

// handlePrefix is gearmand's, H:<host name>, unless one is set.
func handlePrefix(setting string) string {
	if setting != "" {
		return setting
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	prefix := "H:" + host
	return prefix[:min(len(prefix), router.MaxPrefix)]
}

// keepAlive writes the system's own values as package net wants them: as
// negative numbers.
func keepAlive(s *conf.Settings) net.KeepAliveConfig {
	own := func(d time.Duration) time.Duration {
		if d == 0 {
			return -1
		}
		return d
	}
	return net.KeepAliveConfig{
		Enable:   s.Keepalive,
		Idle:     own(s.KeepaliveIdle),
		Interval: own(s.KeepaliveInterval),
		Count:    int(own(time.Duration(s.KeepaliveCount))),
	}
}

// announce says, whatever the log's level, where the server listens, where the
// jobs are, how many came back, and what was accepted without an effect.
func (i *instance) announce() {
	listening := make([]string, len(i.listeners))
	for n, l := range i.listeners {
		listening[n] = l.String()
	}
	data := i.inv.Settings.DataDir
	if i.inv.Settings.Store == "memory" {
		data = "memory"
	}
	for _, note := range i.inv.Notes {
		i.log.always.Info(note)
	}
	for _, warning := range i.warnings {
		i.log.always.Warn(warning)
	}
	i.announceMemory()
	i.log.always.Info("serving", zap.Strings("listen", listening), zap.String("data", data),
		zap.Int("recovered jobs", i.server.Recovered()), zap.String("version", ourVersion()), zap.Int("pid", os.Getpid()))
}
