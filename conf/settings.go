package conf

import (
	"slices"
	"time"
)

// Settings is everything that can be set. A size is in bytes.
type Settings struct {
	// Where to listen.
	Listen  []Endpoint
	Port    int // for endpoints that name none; 0 is any free one
	Backlog int // connections that may wait to be accepted; 0 is the system's largest

	// What is kept.
	DataDir       string // the store's directory
	Store         string // "bolt" or "memory"
	StoreMaxSize  int64  // of the store's file; 0 is no bound
	StoreMinFree  int64  // room on the disk below which background jobs are refused
	UnsafeNoFsync bool   // acknowledge what a power cut can take back
	PayloadMemory int64  // payloads of background jobs that are kept in memory beside the store

	// What a peer may take.
	PacketLimit              int64
	OutboxLimit              int64         // bytes that may wait for a peer that does not read
	MaxConnections           int           // 0 is what the file descriptors allow
	MaxConnectionsPerAddress int           // 0 is no bound
	FileDescriptors          int           // 0 is the most that the user may have
	ReadTimeout              time.Duration // for a message that has begun to arrive; 0 is no bound

	// What all peers together may take. 0 of a size is a share of the memory.
	MemoryLimit  int64 // of the process; 0 is what the environment allows
	QueueMemory  int64 // what jobs, functions and registrations take beside payloads that are stored
	OutboxMemory int64 // bytes that wait for peers that do not read
	ReadMemory   int64 // buffers of large packets that are arriving, and payloads being read back
	CommitMemory int64 // submissions that wait for the disk

	// What may be queued. 0 is no bound.
	MaxJobs                   int
	MaxJobsPerFunction        int // of functions without a "maxqueue" of their own
	MaxQueueBytes             int64
	MaxQueueBytesPerFunction  int64 // of functions without a "maxqueuebytes" of their own
	MaxFunctions              int
	MaxFunctionsPerConnection int
	MaxClientsPerJob          int

	// How long a silent peer is believed in. 0 is the system's own value.
	Keepalive         bool
	KeepaliveIdle     time.Duration
	KeepaliveInterval time.Duration
	KeepaliveCount    int
	TCPUserTimeout    time.Duration // longer than a busy client may take to read a large result: its full window counts too
	HandshakeTimeout  time.Duration

	// How jobs are treated.
	JobRetries      int    // runs of a job whose workers are lost; 0 is no bound
	JobHandlePrefix string // "" is H:<host name>
	WorkerWakeup    int    // workers woken for a job at first; 0 is as many as there is work
	Exceptions      bool   // every client hears of exceptions without asking

	// TLS. The files are PEM.
	SSL                         bool
	SSLCAFile                   string
	SSLCertificate              string
	SSLKey                      string
	SSLRequireClientCertificate bool

	// The log.
	LogFile   string // a path, "stderr", "syslog" or "none"
	Verbose   string // one of Levels
	LogFormat string // "auto", "console" or "json"

	// The process.
	ConfigFile      string
	PIDFile         string
	User            string
	Daemon          bool
	ShutdownTimeout time.Duration // for running jobs to end in
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

// Defaults returns the settings of a server that was told nothing, but for
// the data directory, which depends on who starts it.
func Defaults() Settings {
	return Settings{
		Listen:        []Endpoint{{Host: "127.0.0.1"}},
		Port:          4730,
		Store:         "bolt",
		StoreMinFree:  64 * mib,
		PayloadMemory: 256 * mib,
		PacketLimit:   64 * mib,
		OutboxLimit:   64 * mib,

		MaxFunctions:              1_000_000,
		MaxFunctionsPerConnection: 100_000,
		MaxClientsPerJob:          65_536,

		Keepalive:         true,
		KeepaliveIdle:     30 * time.Second,
		KeepaliveInterval: 10 * time.Second,
		KeepaliveCount:    3,
		TCPUserTimeout:    5 * time.Minute,
		HandshakeTimeout:  10 * time.Second,
		ReadTimeout:       time.Minute,
		LogFile:           "stderr",
		Verbose:           "INFO",
		LogFormat:         "auto",
		ShutdownTimeout:   10 * time.Second,
	}
}

// Levels are the names of the levels of the log, gearmand's, the most urgent
// first.
var Levels = []string{"FATAL", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"}

// Secure reports whether connections to e begin with TLS.
func (s *Settings) Secure(e Endpoint) bool {
	return e.Scheme == "tls" || e.Scheme == "" && s.SSL
}

// SecureAny reports whether any endpoint speaks TLS.
func (s *Settings) SecureAny() bool { return slices.ContainsFunc(s.Listen, s.Secure) }
