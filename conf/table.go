package conf

import "strings"

// A setting ties a name to a field of Settings.
type setting struct {
	name  string // flag and file key
	short string // one-letter flag, gearmand's
	usage string // one line, with the unit
	value func(*Settings) value
}

// variable returns the name of the setting's environment variable.
func (s *setting) variable() string {
	return prefix + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// table is every setting, in the order in which people read them.
var table = []setting{
	{"listen", "L", "address to listen on: host, host:port, [v6]:port, tcp://…, tls://…, unix:/path; may be repeated",
		func(s *Settings) value { return &endpoints{&s.Listen} }},
	{"port", "p", "TCP port (or service name) where an address names none",
		func(s *Settings) value { return &port{&s.Port} }},
	{"backlog", "b", "connections that may wait to be accepted; 0 is the system's largest",
		func(s *Settings) value { return count(&s.Backlog, 0) }},

	{"data-dir", "", "directory of the store, made when it is missing",
		func(s *Settings) value { return &text{&s.DataDir} }},
	{"store", "", "bolt keeps background jobs on disk; memory loses them when the process ends",
		func(s *Settings) value { return &choice{&s.Store, []string{"bolt", "memory"}} }},
	{"store-max-size", "", "size of the store's file from which background jobs are refused, at least 64MiB; 0 is no bound",
		func(s *Settings) value { return &size{&s.StoreMaxSize, 0} }},
	{"store-min-free", "", "room below which background jobs are refused: on the disk, and of store-max-size a quarter at most",
		func(s *Settings) value { return &size{&s.StoreMinFree, 1} }},
	{"unsafe-no-fsync", "", "acknowledge jobs before they are on stable storage: a power cut may lose them",
		func(s *Settings) value { return &toggle{&s.UnsafeNoFsync} }},
	{"payload-memory", "", "payloads of background jobs kept in memory; those beyond are read back from the store",
		func(s *Settings) value { return &size{&s.PayloadMemory, 0} }},

	{"packet-limit", "", "largest packet that a peer may send",
		func(s *Settings) value { return &size{&s.PacketLimit, 8 * kib} }},
	{"outbox-limit", "", "what may wait for a peer that does not read before it is disconnected",
		func(s *Settings) value { return &size{&s.OutboxLimit, 8 * kib} }},
	{"max-connections", "", "connections at a time; 0 is what the file descriptors allow",
		func(s *Settings) value { return count(&s.MaxConnections, 0) }},
	{"max-connections-per-address", "", "connections at a time from one address; 0 is no bound",
		func(s *Settings) value { return count(&s.MaxConnectionsPerAddress, 0) }},
	{"read-timeout", "", "time for a message that has begun to arrive, unless 1 KiB of it comes every second; 0 is no bound",
		func(s *Settings) value { return &span{&s.ReadTimeout} }},
	{"file-descriptors", "f", "file descriptors to allow the process; 0 is the most that the user may have",
		func(s *Settings) value { return count(&s.FileDescriptors, 0) }},

	{"memory-limit", "", "memory that the process is to do with, at least 64MiB; 0 is GOMEMLIMIT, the cgroup's limit or the machine's memory",
		func(s *Settings) value { return &size{&s.MemoryLimit, 0} }},
	{"queue-memory", "", "memory for jobs (beside stored payloads), functions and registrations; 0 is a quarter of memory-limit",
		func(s *Settings) value { return &size{&s.QueueMemory, 0} }},
	{"outbox-memory", "", "what may wait for all peers that do not read before the worst is disconnected; 0 is an eighth of memory-limit",
		func(s *Settings) value { return &size{&s.OutboxMemory, 0} }},
	{"read-memory", "", "memory for large packets that are arriving and payloads that are read back; 0 is an eighth of memory-limit",
		func(s *Settings) value { return &size{&s.ReadMemory, 0} }},
	{"commit-memory", "", "submissions that may wait for the disk before submitters wait; 0 is a 32nd of memory-limit, at most 64MiB",
		func(s *Settings) value { return &size{&s.CommitMemory, 0} }},

	{"max-jobs", "", "jobs at a time, waiting and running; 0 is no bound but queue-memory",
		func(s *Settings) value { return count(&s.MaxJobs, 0) }},
	{"max-jobs-per-function", "", "jobs of a function for which no maxqueue is set; 0 is no bound",
		func(s *Settings) value { return count(&s.MaxJobsPerFunction, 0) }},
	{"max-queue-bytes", "", "payloads of all jobs, waiting and running; 0 is no bound",
		func(s *Settings) value { return &size{&s.MaxQueueBytes, 0} }},
	{"max-queue-bytes-per-function", "", "payloads of a function's jobs where no maxqueuebytes is set; 0 is no bound",
		func(s *Settings) value { return &size{&s.MaxQueueBytesPerFunction, 0} }},
	{"max-functions", "", "functions, and functions with a maxqueue; 0 is no bound but queue-memory",
		func(s *Settings) value { return count(&s.MaxFunctions, 0) }},
	{"max-functions-per-connection", "", "registrations of a worker (CAN_DO); 0 is no bound",
		func(s *Settings) value { return count(&s.MaxFunctionsPerConnection, 0) }},
	{"max-clients-per-job", "", "clients that may wait for one job; 0 is no bound",
		func(s *Settings) value { return count(&s.MaxClientsPerJob, 0) }},

	{"keepalive", "", "probe silent TCP peers",
		func(s *Settings) value { return &toggle{&s.Keepalive} }},
	{"keepalive-idle", "", "silence before the first probe, whole seconds; 0 is the system's value",
		func(s *Settings) value { return &span{&s.KeepaliveIdle} }},
	{"keepalive-interval", "", "time between probes, whole seconds; 0 is the system's value",
		func(s *Settings) value { return &span{&s.KeepaliveInterval} }},
	{"keepalive-count", "", "probes without an answer after which a peer is gone; 0 is the system's value",
		func(s *Settings) value { return count(&s.KeepaliveCount, 0) }},
	{"tcp-user-timeout", "", "time that sent bytes may stay unconfirmed before the peer is gone; 0 is the system's value",
		func(s *Settings) value { return &span{&s.TCPUserTimeout} }},
	{"handshake-timeout", "", "time for a TLS handshake",
		func(s *Settings) value { return &span{&s.HandshakeTimeout} }},

	{"job-retries", "j", "runs of a job whose workers are lost before it fails; 0 or -1 is no bound",
		func(s *Settings) value { return &retries{&s.JobRetries} }},
	{"job-handle-prefix", "", "what handles begin with; empty is H:<host name>",
		func(s *Settings) value { return &handlePrefix{&s.JobHandlePrefix} }},
	{"worker-wakeup", "w", "sleeping workers woken for a job at first; 0 is as many as there is work",
		func(s *Settings) value { return count(&s.WorkerWakeup, 0) }},
	{"exceptions", "", "send exceptions to clients that did not ask for them, too",
		func(s *Settings) value { return &toggle{&s.Exceptions} }},

	{"ssl", "", "speak TLS on every address without a scheme",
		func(s *Settings) value { return &toggle{&s.SSL} }},
	{"ssl-ca-file", "", "certificates of the authorities that vouch for clients (PEM)",
		func(s *Settings) value { return &text{&s.SSLCAFile} }},
	{"ssl-certificate", "", "the server's certificate and its chain (PEM)",
		func(s *Settings) value { return &text{&s.SSLCertificate} }},
	{"ssl-key", "", "the key of the server's certificate (PEM)",
		func(s *Settings) value { return &text{&s.SSLKey} }},
	{"ssl-require-client-certificate", "", "refuse TLS clients without a certificate",
		func(s *Settings) value { return &toggle{&s.SSLRequireClientCertificate} }},

	{"log-file", "l", "where the log goes: a path, stderr, syslog or none",
		func(s *Settings) value { return &text{&s.LogFile} }},
	{"verbose", "", "how much is logged: " + strings.Join(Levels, ", "),
		func(s *Settings) value { return &choice{&s.Verbose, Levels} }},
	{"log-format", "", "console, json, or auto: console on a terminal, json elsewhere",
		func(s *Settings) value { return &choice{&s.LogFormat, []string{"auto", "console", "json"}} }},

	{"config-file", "", "file with settings, its name ending in .yaml, .yml or .toml",
		func(s *Settings) value { return &text{&s.ConfigFile} }},
	{"pid-file", "P", "file that holds the process's number while it runs",
		func(s *Settings) value { return &text{&s.PIDFile} }},
	{"user", "u", "user to become once everything is open",
		func(s *Settings) value { return &text{&s.User} }},
	{"daemon", "d", "go on in the background once the server runs",
		func(s *Settings) value { return &toggle{&s.Daemon} }},
	{"shutdown-timeout", "", "time that running jobs have to end when the server stops",
		func(s *Settings) value { return &span{&s.ShutdownTimeout} }},
}

// lookup returns the setting of that name, or nil.
func lookup(name string) *setting {
	for i := range table {
		if table[i].name == name {
			return &table[i]
		}
	}
	return nil
}
