package clients

// The abilities of the peers. What a library cannot do is written down here
// with its reason; no scenario is left out silently.

const (
	noExceptions = "the library has no way to ask for exceptions"
	noPing       = "the library has no call for ECHO_REQ"
	noReconnect  = "the library does not connect again by itself"
	noStatus     = "the tool does not show status"
)

var peers = []peer{
	{
		name:     "C",
		commands: cCommands,
		refusal:  "QUEUE_ERROR",
	},
	{
		name:     "Perl",
		commands: perlCommands,
		absent:   map[string]string{"Ping": noPing},
		refusal:  "QUEUE_ERROR",
	},
	{
		name:     "PHP",
		commands: phpCommands,
		absent: map[string]string{
			"Empty":           "the extension refuses an empty workload",
			"ExceptionAsFail": "the extension asks for exceptions on every connection",
		},
		refusal: "QUEUE_ERROR",
	},
	{
		name:     "Node-abraxas",
		commands: nodeCommands("abraxas"),
		absent: map[string]string{
			"Fail":            "the worker can only throw exceptions",
			"ExceptionAsFail": "the library asks for exceptions on every connection",
			"Data":            "the library's data chunks need its own server's option, and its client joins them with the result",
		},
		refusal: "Job queue is full",
	},
	{
		name:     "Node-gearmanode",
		commands: nodeCommands("gearmanode"),
		absent: map[string]string{
			"AllBytes":  "the worker turns results into UTF-8",
			"Reconnect": noReconnect,
		},
		texts:   true,
		refusal: "QUEUE_ERROR",
	},
	{
		name:     "Go-mikespook",
		commands: mikespookCommands,
		absent: map[string]string{
			"Exception": noExceptions,
			"Reconnect": noReconnect,
		},
		// Its time for a payload grows with the square of the size: 20 MiB
		// take longer than anybody waits.
		payload: 256 << 10,
		// Its bug: an ERROR for a submission is taken for a lost connection.
		refusal: "Lost connection",
	},
	{
		name:     "gearman(1)",
		commands: toolCommands,
		absent: map[string]string{
			"Status":         noStatus,
			"StatusByHandle": noStatus,
			"Data":           "the tool's client joins data with the result",
			"Warning":        "the tool's worker cannot warn",
			"Exception":      noExceptions,
			"Ping":           "the tool has no option for ECHO_REQ",
			"Timeout":        "the tool's worker registers no timeout",
			"LateResult":     "the tool's worker registers no timeout",
		},
		// It reads its stdin in time that grows with the square of the size.
		payload: 2 << 20,
		with: map[string]stand{
			// Its worker writes a whole payload to the command's stdin before it
			// reads the result: over 64 KiB both block.
			"Large":           {worker: "C"},
			"ExceptionAsFail": {worker: "C"},
		},
		refusal: "QUEUE_ERROR",
	},
}
