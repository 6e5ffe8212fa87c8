package clients

// What is not played with gearmand 1.1.20 as the server, by scenario: where it
// is wrong and our server is right.
var onlyOurs = map[string]string{
	"ExceptionAsFail": "it sends WORK_FAIL with a NUL behind the handle, and clients wait for ever",
	"LateResult":      "it answers a late result with an ERROR, which no library takes for what it is",
	"SurvivesKill":    "it keeps jobs in memory",
	"Reconnect":       "it keeps jobs in memory",
}

// The same for single peers.
var onlyOursFor = map[[2]string]string{
	{habits, "NetcatHalfClosed"}:  "it closes at the end of the input, whatever it still has to answer",
	{"Perl", "Empty"}:             "it drops the WORK_COMPLETE without a NUL that Gearman::Worker sends for an empty result",
	{"Perl", "Exception"}:         "it answers the WORK_FAIL behind a WORK_EXCEPTION with an ERROR, of which Gearman::Worker dies",
	{"Node-abraxas", "Exception"}: "it answers the WORK_FAIL behind a WORK_EXCEPTION with an ERROR, of which abraxas dies",
}

// baseline tells whether a scenario is left out for the server under test, and
// why.
func baseline(peer, scenario string) (reason string, out bool) {
	if ours() {
		return "", false
	}
	if reason, out = onlyOurs[scenario]; !out {
		reason, out = onlyOursFor[[2]string{peer, scenario}]
	}
	return reason, out
}
