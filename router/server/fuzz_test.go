package server

import (
	"testing"
	"testing/synctest"

	"gearbolt/protocol"
)

// FuzzConversation has a peer say any bytes, cut in any place, to a server with
// others about. What it is told is whole packets and lines, it hears nothing
// more once it is gone, and the others are served.
func FuzzConversation(f *testing.F) {
	add := func(cut uint16, packets ...[]byte) {
		var b []byte
		for _, p := range packets {
			b = append(b, p...)
		}
		f.Add(b, cut)
	}
	req := func(t protocol.Type, args ...string) []byte {
		b := make([][]byte, len(args))
		for i, a := range args {
			b[i] = []byte(a)
		}
		return protocol.Append(nil, protocol.Req, t, b...)
	}
	add(5, req(protocol.CanDo, "f"), req(protocol.GrabJobAll), req(protocol.PreSleep), req(protocol.WorkComplete, "H:test:1-1", "x"))
	add(14, req(protocol.SubmitJobBG, "f", "u", "x"), []byte("status\nworkers\r\n"), req(protocol.SubmitJob, "f", "u", "x"))
	add(30, req(protocol.SubmitJobEpoch, "f", "", "1", "x"), req(protocol.ResetAbilities), req(protocol.GetStatus, "H:test:1-1"))
	add(3, []byte("GET / HTTP/1.1\r\n\r\n"))
	add(1, req(protocol.EchoReq, "x")[:10], []byte("cancel job H:test:1-1\n"))
	f.Fuzz(func(t *testing.T, says []byte, cut uint16) {
		story(t, Options{PacketLimit: 1 << 10, OutboxLimit: 1 << 16}, func(s *stage) {
			client, worker := s.dial(), s.worker("good")
			client.send(protocol.SubmitJobBG, "f", "u", "x")
			client.receive()
			client.got = nil
			p := s.dial()
			at := min(int(cut), len(says))
			p.conn.Write(says[:at])
			synctest.Wait()
			p.conn.Write(says[at:])
			p.receive()
			for b := p.got; len(b) > 0; {
				m, n, err := protocol.Limits{Packet: 1 << 20}.Next(b)
				if err != nil || m.Magic == protocol.Req {
					t.Fatalf("the peer is told %q: %v", b, err)
				}
				b = b[n:]
			}
			p.conn.Close()
			synctest.Wait()
			client.answered()
			worker.answered()
		})
	})
}
