package clients

import "testing"

// TestPairs has every client call every worker, across languages:
// TestPairs/WORKER/CLIENT. The payload holds all 256 byte values, NUL first.
func TestPairs(t *testing.T) {
	for i := range peers {
		w := &peers[i]
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.commands(t)
			s := &stage{TB: t, server: launch(t), onWorker: w}
			s.worker("f=reverse")
			for j := range peers {
				c := &peers[j]
				t.Run(c.name, func(t *testing.T) {
					record(t, w.name+" as worker", "for "+c.name)
					pair(t, s.server.Addr, w, c)
				})
			}
		})
	}
}

func pair(t *testing.T, addr string, w, c *peer) {
	payload := allByteValues()
	if w.texts {
		payload = "a text and no more: this worker's library takes results for UTF-8"
	}
	s := &stage{TB: t}
	a := c.client(t, addr).ask("run f normal none %s", hexOf(payload))
	s.want(a, reversed(payload))
}
