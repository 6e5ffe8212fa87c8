package jobs

import (
	"fmt"
	"os/exec"
	"testing"

	"gearbolt/integration/harness"
	"gearbolt/protocol"
)

const retries = 4

// A background job that every worker vanishes with is given up after as many as
// --job-retries says, kills of the server in between or not.
func TestPoisonJobAcrossRestarts(t *testing.T) {
	s := newStage(t, "--job-retries", fmt.Sprint(retries))
	s.book.Retries = retries
	handle := s.submit(s.client(), protocol.SubmitJobBG, "poison")
	for lost := 1; lost < retries; lost++ {
		w := s.worker()
		s.take(w, handle)
		w.Close()
		want := fmt.Sprintf("%s\t%d\t0\t1", handle, lost)
		harness.Await(s, "the loss is counted: "+want, func() bool { return s.shown(handle) == want })
		s.submit(s.client(), protocol.SubmitJobEpoch, fmt.Sprint("stored behind it ", lost))
		s.drainBut(handle)
		s.kill()
		s.start()
		if got := s.shown(handle); got != want {
			t.Errorf("after the restart show jobs says %q, not %q", got, want)
		}
	}
	w := s.worker()
	s.take(w, handle)
	w.Close()
	harness.Await(s, "the job is given up", func() bool { return s.shown(handle) == "" })
	if jobs := s.balance(); len(jobs) > 0 {
		t.Errorf("there are still %q", jobs)
	}
	s.kill()
	s.start()
	if jobs := s.balance(); len(jobs) > 0 {
		t.Errorf("after the restart there are %q", jobs)
	}
}

// drainBut cancels all jobs but one: they were submitted to be stored.
func (s *stage) drainBut(handle string) {
	s.Helper()
	c := s.client()
	for other := range s.book.Open() {
		if other == handle {
			continue
		}
		if _, err := c.Cancel(other); err != nil {
			s.Fatal(err)
		}
	}
}

// A caller of a job that kills every worker is told that it failed.
func TestPoisonCall(t *testing.T) {
	s := newStage(t, "--job-retries", fmt.Sprint(retries))
	c := s.client()
	handle := s.submit(c, protocol.SubmitJob, "poison")
	for range retries {
		w := s.worker()
		s.take(w, handle)
		w.Close()
	}
	s.hears(c, protocol.WorkFail, handle)
}

// Worker processes are killed by what they run. The job is given up, and the
// next process lives on and does the next job.
func TestPoisonProcess(t *testing.T) {
	s := newStage(t, "--job-retries", fmt.Sprint(retries))
	c := s.client()
	handle := s.submit(c, protocol.SubmitJob, "poison")
	for range retries {
		victim := exec.Command(harness.Binary(t), "work", "-s", s.addr, function, "--", "sh", "-c", "kill -9 $PPID")
		if err := victim.Run(); err == nil || victim.ProcessState.Exited() {
			t.Fatalf("the worker was not killed: %v", err)
		}
	}
	s.hears(c, protocol.WorkFail, handle)
	healthy := exec.Command(harness.Binary(t), "work", "-s", s.addr, function, "--", "cat")
	if err := healthy.Start(); err != nil {
		t.Fatal(err)
	}
	defer healthy.Wait()
	defer healthy.Process.Kill()
	next := s.submit(c, protocol.SubmitJob, "food")
	s.hears(c, protocol.WorkComplete, next, "food|")
}
