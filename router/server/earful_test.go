package server

import (
	"strings"
	"testing"
	"testing/synctest"

	"gearbolt/protocol"
)

// manyFunctions has functions whose names make "status" long, and returns how
// long.
func (s *stage) manyFunctions() int {
	w, n := s.dial(), 0
	for i := range 20 {
		name := strings.Repeat(string(rune('a'+i)), 8000)
		w.send(protocol.CanDo, name)
		n += len(name)
	}
	w.answered()
	return n
}

// Whoever asks for much gets one answer in a visit to the machine, and not all
// that was asked for in one go: others come in between.
func TestLongAnswersAreSaidOneByOne(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		if n := s.manyFunctions(); n < earful {
			t.Fatalf("the answer has %d bytes", n)
		}
		s.store.hold(true)
		job := string(protocol.Append(nil, protocol.Req, protocol.SubmitJobBG, []byte("f"), nil, nil))
		s.dial().write(job + "status\n" + job)
		synctest.Wait()
		if n := len(s.store.waiting[0].changes); n != 1 {
			t.Errorf("%d jobs were submitted in one visit, with a long answer between them", n)
		}
		s.letGo()
	})
}

// A peer that is cut off in the midst of what it has said is not listened to
// any more.
func TestWhoIsCutOffIsNotListenedTo(t *testing.T) {
	story(t, Options{OutboxLimit: 10_000}, func(s *stage) {
		s.manyFunctions()
		deaf := s.dial()
		deaf.answered()
		deaf.write(strings.Repeat("status\n", 100) + "create function late\n")
		synctest.Wait()
		other := s.dial()
		other.write("drop function late\n")
		other.expectText("ERR function not found\r\n")
	})
}
