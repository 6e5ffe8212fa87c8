package admin

import (
	"bufio"
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

// answering is a connection to a server that has one answer to each line.
func answering(t *testing.T, answers map[string]string) *Conn {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		in := bufio.NewScanner(far)
		for in.Scan() {
			answer, ok := answers[in.Text()]
			if !ok {
				answer = "ERR UNKNOWN_COMMAND Unknown+server+command" + in.Text() + "\r\n"
			}
			// Apart from reading: the peer writes all its lines first.
			if _, err := far.Write([]byte(answer)); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { near.Close(); far.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return New(ctx, buffered{near})
}

// buffered is a pipe whose writer does not wait for the reader.
type buffered struct{ net.Conn }

func (b buffered) Write(p []byte) (int, error) {
	go b.Conn.Write(p)
	return len(p), nil
}

func TestFunctions(t *testing.T) {
	c := answering(t, map[string]string{
		"status":         "b\t3\t1\t2\na\tb\t0\t0\t0\n.\n",
		"prioritystatus": "b\t1\t0\t1\t2\n.\n",
		"show maxqueue":  "b\t5\t0\t7\n.\n",
	})
	got, err := c.Functions()
	want := []Function{
		{Name: "a\tb"},
		{Name: "b", Jobs: 3, Running: 1, Workers: 2, High: 1, Low: 1, Limits: &Limits{High: 5, Low: 7}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFunctionsWithoutLimits(t *testing.T) {
	c := answering(t, map[string]string{"status": "b\t3\t1\t2\n.\n", "prioritystatus": ".\n"})
	if got, err := c.Functions(); err != nil || len(got) != 1 || got[0].Limits != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWorkers(t *testing.T) {
	c := answering(t, map[string]string{"workers": "3 127.0.0.1 - :\n4 ::1 my id : b a:x\n.\n"})
	got, err := c.Workers()
	want := []Worker{
		{Connection: "3", Address: "127.0.0.1", ID: "-", Functions: []string{}},
		{Connection: "4", Address: "::1", ID: "my id", Functions: []string{"b", "a:x"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestJobs(t *testing.T) {
	c := answering(t, map[string]string{
		"show jobs":        "H:x:1-1\t0\t0\t1\nH:x:1-2\t2\t1\t0\n.\n",
		"show unique jobs": "u\n\n.\n",
		"jobs":             "f\tg\tu\t-\t0\nf\t\t127.0.0.1:7\t3\n.\n",
	})
	got, err := c.Jobs()
	want := []Job{
		{Handle: "H:x:1-1", Background: true, Detailed: true, Function: "f\tg", Unique: "u"},
		{Handle: "H:x:1-2", Attempts: 2, Ignored: true, Detailed: true, Function: "f", Worker: "127.0.0.1:7", Waiting: 3},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestJobsOfGearmand(t *testing.T) {
	c := answering(t, map[string]string{"show jobs": "H:x:1\t0\t0\t1\n.\n", "show unique jobs": "z\n.\n"})
	got, err := c.Jobs()
	if err != nil || len(got) != 1 || got[0].Detailed || got[0].Unique != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestListsThatDoNotAgree(t *testing.T) {
	c := answering(t, map[string]string{
		"show jobs": "H:x:1-1\t0\t0\t1\n.\n", "show unique jobs": "u\n.\n", "jobs": "f\tother\t-\t0\n.\n",
	})
	if got, err := c.Jobs(); err == nil {
		t.Errorf("got %+v", got)
	}
}

func TestRefusals(t *testing.T) {
	c := answering(t, map[string]string{
		"cancel job H:x:9": "ERR UNKNOWN_JOB\r\n",
		"drop function f":  "ERR there are still connected workers or executing clients\r\n",
		"getpid":           "OK 17\n",
		"version":          "HTTP/1.1 400\r\n",
	})
	var r *Refusal
	if err := c.Cancel("H:x:9"); !errors.As(err, &r) || r.Code != "UNKNOWN_JOB" {
		t.Errorf("cancel: %v", err)
	}
	if err := c.DropFunction("f"); !errors.As(err, &r) || r.Code != "" || !strings.Contains(r.Text, "workers") {
		t.Errorf("drop: %v", err)
	}
	if err := c.Shutdown(true); !IsUnknown(err) {
		t.Errorf("shutdown: %v", err)
	}
	if pid, err := c.PID(); pid != 17 || err != nil {
		t.Errorf("pid: %d, %v", pid, err)
	}
	if _, err := c.Version(); err == nil {
		t.Error("something else was taken for a Gearman server")
	}
}

func TestWordsThatCannotBeSaid(t *testing.T) {
	c := answering(t, nil)
	for _, name := range []string{"", "a b", "a\nshutdown", "a\x00"} {
		if err := c.CreateFunction(name); err == nil || IsUnknown(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
