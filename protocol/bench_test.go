package protocol

import (
	"fmt"
	"testing"
)

// A packet is read and taken apart where it lies, and written into a buffer
// that is there: nothing of that allocates.

// stream is a burst as a busy server gets it.
func stream(payload int) []byte {
	var b []byte
	for range 16 {
		b = Append(b, Req, SubmitJob, []byte("function"), []byte("unique"), make([]byte, payload))
		b = Append(b, Req, WorkComplete, []byte("H:host:12-3456"), make([]byte, payload))
		b = Append(b, Req, GrabJobAll)
		b = append(b, "status\r\n"...)
	}
	return b
}

// readStream reads all of b and returns how many messages there were.
func readStream(b []byte, a *Args, w *Words) (messages int) {
	l := Limits{Packet: DefaultPacketLimit}
	for len(b) > 0 {
		m, n, err := l.Next(b)
		switch {
		case err != nil:
			return -1
		case m.Magic == Text && SplitWords(m.Body, w):
		case Split(m.Type, m.Body, a) != nil:
			return -1
		}
		b = b[n:]
		messages++
	}
	return messages
}

// writeStream writes what a server answers to a burst.
func writeStream(b, payload []byte) []byte {
	for range 16 {
		b = Append(b, Res, JobCreated, []byte("H:host:12-3456"))
		b = AppendHeader(b, Res, WorkComplete, 15+len(payload))
		b = append(append(append(b, "H:host:12-3456"...), 0), payload...)
		start := len(b)
		b = append(AppendHeader(b, Res, JobAssignUniq, 0), "H:host:12-3456\x00function\x00unique\x00"...)
		b = FinishPacket(b, start)
		b = AppendError(b, JobNotFound, TextNoSuchJob)
	}
	return b
}

func TestNothingIsAllocated(t *testing.T) {
	in, out := stream(100), make([]byte, 0, 1<<16)
	payload := make([]byte, 100)
	var a Args
	var w Words
	if n := testing.AllocsPerRun(100, func() { readStream(in, &a, &w) }); n != 0 {
		t.Errorf("reading allocates %v times a burst", n)
	}
	if n := testing.AllocsPerRun(100, func() { writeStream(out, payload) }); n != 0 {
		t.Errorf("writing allocates %v times a burst", n)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, payload := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("payload=%d", payload), func(b *testing.B) {
			in := stream(payload)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			var a Args
			var w Words
			messages := 0
			for b.Loop() {
				messages += readStream(in, &a, &w)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(messages), "ns/message")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, payload := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("payload=%d", payload), func(b *testing.B) {
			out, body := make([]byte, 0, 1<<20), make([]byte, payload)
			b.SetBytes(int64(len(writeStream(out, body))))
			b.ReportAllocs()
			for b.Loop() {
				writeStream(out, body)
			}
		})
	}
}
