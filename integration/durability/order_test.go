package durability

import (
	"fmt"
	"strings"
	"testing"

	"gearbolt/integration/judge"
	"gearbolt/persist"
	"gearbolt/protocol"
)

// checkOrder has a worker take some jobs of a server on which nothing else
// happens: they come by priority, and within one as they were submitted.
func checkOrder(t *testing.T, b *judge.Book, addr string) {
	t.Helper()
	waiting := b.Open()
	w, err := b.Worker(addr, function)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var last place
	for range 10 {
		a, err := w.GrabBy(protocol.GrabJobUniq)
		if err != nil {
			t.Fatal(err)
		}
		if a == nil {
			break
		}
		// One whose time came after the start stands behind those that waited.
		if j := b.Job(a.Token); j != nil && j.Due.IsZero() {
			at := placeOf(t, a.Handle, j)
			if at.before(last) {
				t.Errorf("%s came behind one of priority %d with the number %v", a.Handle, last.priority, last.number)
			}
			last = at
		}
		w.End(a.Handle, protocol.WorkComplete, "")
		delete(waiting, a.Handle)
	}
	if _, err := w.Ask(protocol.EchoRes, protocol.EchoReq, "all said"); err != nil {
		t.Fatal(err)
	}
	for handle, j := range waiting {
		if j.Function == function && j.Due.IsZero() && placeOf(t, handle, j).before(last) {
			t.Errorf("%s still waits, and one of priority %d with the number %v was taken", handle, last.priority, last.number)
		}
	}
}

// A place is where a job stands in its function's queues after a restart.
type place struct {
	priority persist.Priority
	number   persist.JobID
}

func (p place) before(q place) bool {
	return p.priority < q.priority || p.priority == q.priority && p.number.Compare(q.number) < 0
}

func placeOf(t *testing.T, handle string, j *judge.Job) place {
	t.Helper()
	p := place{priority: j.Priority()}
	number := handle[strings.LastIndexByte(handle, ':')+1:]
	if _, err := fmt.Sscanf(number, "%d-%d", &p.number.Epoch, &p.number.Seq); err != nil {
		t.Fatalf("%s: %v", handle, err)
	}
	return p
}
