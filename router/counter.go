package router

import "strconv"

// A Counter is something that is counted from the start of the process on.
// Every limit has one: how often it was the reason to refuse or to cut off.
type Counter uint8

// The counters. The machine counts the first group; those from
// ConnectionsAccepted on are for the shell, by [Machine.Count].
const (
	JobsOverMaxqueue Counter = iota
	JobsOverMaxqueuebytes
	JobsOverMaxJobs
	JobsOverMaxJobsPerFunction
	JobsOverMaxQueueBytes
	JobsOverMaxQueueBytesPerFunction
	JobsOverQueueMemory
	JobsWhileShuttingDown
	JobsNotStored
	JobsTooLargeToStore
	ClientsOverMaxClientsPerJob
	ClientsOverQueueMemory
	FunctionsOverMaxFunctions
	FunctionsOverMaxFunctionsPerConnection
	FunctionsOverQueueMemory
	GrabsOverLimit
	RepliesOverOutboxLimit
	RepliesOverOutboxMemory
	DeletesPutOff
	LateWords
	ForeignWords
	PacketsMalformed

	ConnectionsAccepted
	ConnectionsOverMaxConnections
	ConnectionsOverMaxConnectionsPerAddress
	ConnectionsOverDescriptors
	HandshakesFailed
	ForeignProtocols
	PacketsRefused
	ReadsOverReadTimeout
	ReadsOverReadMemory
	OutboxesOverOutboxLimit
	OutboxesOverOutboxMemory
	LogLinesDropped

	numCounters
)

// counterNames are what the counters are called in "counters", in a form that
// metrics can take over.
var counterNames = [numCounters]string{
	JobsOverMaxqueue:                       "jobs_refused_maxqueue",
	JobsOverMaxqueuebytes:                  "jobs_refused_maxqueuebytes",
	JobsOverMaxJobs:                        "jobs_refused_max_jobs",
	JobsOverMaxJobsPerFunction:             "jobs_refused_max_jobs_per_function",
	JobsOverMaxQueueBytes:                  "jobs_refused_max_queue_bytes",
	JobsOverMaxQueueBytesPerFunction:       "jobs_refused_max_queue_bytes_per_function",
	JobsOverQueueMemory:                    "jobs_refused_queue_memory",
	JobsWhileShuttingDown:                  "jobs_refused_shutdown",
	JobsNotStored:                          "jobs_refused_store_full",
	JobsTooLargeToStore:                    "jobs_refused_store_too_large",
	ClientsOverMaxClientsPerJob:            "clients_refused_max_clients_per_job",
	ClientsOverQueueMemory:                 "clients_refused_queue_memory",
	FunctionsOverMaxFunctions:              "functions_refused_max_functions",
	FunctionsOverMaxFunctionsPerConnection: "functions_refused_max_functions_per_connection",
	FunctionsOverQueueMemory:               "functions_refused_queue_memory",
	GrabsOverLimit:                         "grabs_refused",
	RepliesOverOutboxLimit:                 "replies_cut_outbox_limit",
	RepliesOverOutboxMemory:                "replies_cut_outbox_memory",
	DeletesPutOff:                          "deletes_put_off_store_full",
	LateWords:                              "work_dropped_late",
	ForeignWords:                           "work_refused_foreign",
	PacketsMalformed:                       "packets_refused_malformed",

	ConnectionsAccepted:                     "connections_accepted",
	ConnectionsOverMaxConnections:           "connections_refused_max_connections",
	ConnectionsOverMaxConnectionsPerAddress: "connections_refused_max_connections_per_address",
	ConnectionsOverDescriptors:              "connections_put_off_descriptors",
	HandshakesFailed:                        "handshakes_failed",
	ForeignProtocols:                        "connections_cut_foreign_protocol",
	PacketsRefused:                          "connections_cut_unreadable",
	ReadsOverReadTimeout:                    "connections_cut_read_timeout",
	ReadsOverReadMemory:                     "connections_cut_read_memory",
	OutboxesOverOutboxLimit:                 "connections_cut_outbox_limit",
	OutboxesOverOutboxMemory:                "connections_cut_outbox_memory",
	LogLinesDropped:                         "log_lines_dropped",
}

// String returns the counter's name.
func (c Counter) String() string { return counterNames[c] }

// Counters are the values of all counters.
type Counters [numCounters]uint64

// All yields every counter and its value.
func (c *Counters) All(yield func(Counter, uint64) bool) {
	for i, n := range c {
		if !yield(Counter(i), n) {
			return
		}
	}
}

// Count adds to a counter.
func (m *Machine) Count(c Counter, n uint64) { m.counters[c] += n }

// Counters returns the values of all counters.
func (m *Machine) Counters() Counters { return m.counters }

// adminCounters is our own "counters": name and value, a line each.
func (m *Machine) adminCounters(c *Conn) {
	start := len(m.arena)
	for i, n := range m.counters.All {
		m.arena = append(append(m.arena, i.String()...), '\t')
		m.arena = append(strconv.AppendUint(m.arena, n, 10), '\n')
	}
	m.arena = append(m.arena, ".\n"...)
	m.say(c, start, nil)
}
