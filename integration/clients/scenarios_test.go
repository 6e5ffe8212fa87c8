package clients

import "testing"

// A scenario is one thing that people do with a job server.
type scenario struct {
	name string
	run  func(s *stage)
}

var scenarios = []scenario{
	{"RoundTrip", roundTrip},
	{"AllBytes", allBytes},
	{"Empty", empty},
	{"Large", large},
	{"Background", background},
	{"Priorities", priorities},
	{"Coalescing", coalescing},
	{"Status", statusUpdates},
	{"StatusByHandle", statusByHandle},
	{"Data", dataChunks},
	{"Warning", warnings},
	{"Fail", failing},
	{"Exception", exceptions},
	{"ExceptionAsFail", exceptionAsFail},
	{"WorkerCrash", workerCrash},
	{"Timeout", timeout},
	{"LateResult", lateResult},
	{"Parallel", parallel},
	{"Ping", ping},
	{"QueueFull", queueFull},
	{"SurvivesKill", survivesKill},
	{"Reconnect", reconnect},
}

// TestClients plays every scenario with every peer: TestClients/PEER/SCENARIO.
func TestClients(t *testing.T) {
	for i := range peers {
		p := &peers[i]
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, sc := range scenarios {
				playOrNote(t, p, sc)
			}
		})
	}
}

func playOrNote(t *testing.T, p *peer, sc scenario) {
	if reason, ok := p.absent[sc.name]; ok {
		note(p.name, sc.name, "absent: "+reason)
		return
	}
	if reason, ok := baseline(p.name, sc.name); ok {
		note(p.name, sc.name, "gearmand: "+reason)
		return
	}
	t.Run(sc.name, func(t *testing.T) {
		record(t, p.name, sc.name)
		play(t, p, sc)
	})
}

// play runs a scenario with a peer on both sides, unless its table names
// another one for a side.
func play(t *testing.T, p *peer, sc scenario) {
	p.commands(t)
	s := &stage{TB: t, server: launch(t), onClient: p, onWorker: p}
	if stand := p.with[sc.name]; stand.client != "" {
		s.onClient = peerNamed(stand.client)
	} else if stand.worker != "" {
		s.onWorker = peerNamed(stand.worker)
	}
	sc.run(s)
}
