package durability

import (
	"fmt"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// scripted is how many jobs the script submits.
const scripted = 50

// play is the script: jobs of all kinds, workers that complete, fail, and
// vanish, cancels and questions, one after the other. It ends early when the
// server does.
func play(b *judge.Book, addr string) {
	for _, act := range []func(*judge.Book, string) error{submitAll, workSome, vanishWithSome, workSome, operateSome} {
		if act(b, addr) != nil {
			return
		}
	}
}

func submitAll(b *judge.Book, addr string) error {
	const burst = 5
	c, err := b.Client(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for n := range scripted {
		c.Submit(scriptedJob(n))
		for n%burst == burst-1 && c.Waiting() > 0 {
			if _, err := c.Answer(); err != nil {
				return err
			}
		}
	}
	return nil
}

func scriptedJob(n int) *judge.Job {
	j := &judge.Job{Token: fmt.Sprint("script-", n), Type: kinds[n%len(kinds)], Function: function}
	j.Payload = j.Token + "|" + fmt.Sprintf("%*d", 1+n*n, n) // up to 2,500 bytes
	switch {
	case j.Type == protocol.SubmitJobEpoch:
		j.Due = time.Unix(int64(n), 0)
	case j.Type == protocol.SubmitReduceJobBG:
		j.Reducer = "reducer"
	case n%3 == 0:
		j.Type, j.Unique = protocol.SubmitJobBG, fmt.Sprint("shared ", n%4)
	}
	return j
}

// workSome ends ten jobs, half of them for certain.
func workSome(b *judge.Book, addr string) error {
	w, err := b.Worker(addr, function)
	if err != nil {
		return err
	}
	defer w.Close()
	for n := range 10 {
		a, err := w.Grab()
		if a == nil || err != nil {
			return err
		}
		w.End(a.Handle, []protocol.Type{protocol.WorkComplete, protocol.WorkFail, protocol.WorkException}[n%3], "")
		if n == 5 {
			token := fmt.Sprintf("behind-%d", w.Number)
			w.Confirm(&judge.Job{Token: token, Type: protocol.SubmitJobLowBG, Function: function, Payload: token + "|"})
		}
	}
	_, err = w.Ask(protocol.EchoRes, protocol.EchoReq, "all said")
	return err
}

func vanishWithSome(b *judge.Book, addr string) error {
	w, err := b.Worker(addr, function)
	if err != nil {
		return err
	}
	defer w.Close()
	for range 5 {
		if _, err := w.Grab(); err != nil {
			return err
		}
	}
	return nil
}

func operateSome(b *judge.Book, addr string) error {
	c, err := b.Client(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	n := 0
	for handle := range b.Open() {
		if n++; n > 5 {
			break
		}
		if _, err := c.Cancel(handle); err != nil {
			return err
		}
		if _, err := c.States(handle); err != nil {
			return err
		}
	}
	return nil
}
