package work

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"gearbolt/clients"
)

// Prefork hands jobs to processes that stay.
type Prefork struct {
	Options
	free chan *resident
}

// NewPrefork starts n processes.
func NewPrefork(o Options, n int) (*Prefork, error) {
	p := &Prefork{Options: o, free: make(chan *resident, n)}
	for range n {
		r := &resident{options: &p.Options}
		p.free <- r
		if err := r.start(); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// Handle is a [clients.Handler].
func (p *Prefork) Handle(ctx context.Context, job *clients.Job) ([]byte, error) {
	return p.do(ctx, taskOf(job))
}

func (p *Prefork) do(ctx context.Context, t task) ([]byte, error) {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	select {
	case r := <-p.free:
		defer func() { p.free <- r }()
		return r.do(ctx, t)
	case <-ctx.Done():
		return nil, p.interrupted(ctx)
	}
}

// Close ends the processes that are free, which are all once the worker is
// done: they may take the grace to do it by themselves.
func (p *Prefork) Close() {
	var all sync.WaitGroup
	for {
		select {
		case r := <-p.free:
			all.Go(r.close)
		default:
			all.Wait()
			return
		}
	}
}

// A resident is one place for a process that stays.
type resident struct {
	options *Options
	*process
	in  io.WriteCloser
	out io.ReadCloser
	*bufio.Reader
}

func (r *resident) start() (err error) {
	cmd := exec.Command(r.options.Command[0], r.options.Command[1:]...)
	cmd.Env = r.options.Guard.environment()
	cmd.Stderr = os.Stderr
	if r.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if r.out, err = cmd.StdoutPipe(); err != nil {
		return err
	}
	r.Reader = bufio.NewReader(r.out)
	r.process, err = begin(cmd, r.options.Guard)
	return err
}

// alive makes sure that there is a process: one may have ended since its last
// job.
func (r *resident) alive() error {
	if r.process != nil {
		select {
		case <-r.exited:
			r.kill()
		default:
			return nil
		}
	}
	return r.start()
}

// kill ends the process without grace.
func (r *resident) kill() error {
	r.process.end(0)
	r.out.Close()
	err := r.cmd.Wait()
	r.process = nil
	return err
}

// close lets the process end by itself within the grace.
func (r *resident) close() {
	if r.process == nil {
		return
	}
	r.in.Close()
	ctx, cancel := context.WithTimeout(context.Background(), r.options.Grace)
	defer cancel()
	r.wait(ctx, r.options.Grace)
}

// do hands one job to the process. A process that did not keep to the protocol
// is not used again.
func (r *resident) do(ctx context.Context, t task) ([]byte, error) {
	if err := r.alive(); err != nil {
		return nil, exception("%v", err)
	}
	written := make(chan error, 1)
	go func(in io.Writer) { written <- send(in, t) }(r.in)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		r.end(r.options.Grace)
		r.out.Close()
	})
	result, last, err := r.hear(t)
	switch {
	case !stop(): // what it said last is of no interest
		<-ended
		r.kill()
		return nil, r.options.interrupted(ctx)
	case err != nil:
		return nil, exception("%v (%v)", err, orEnded(r.kill()))
	case !taken(written):
		r.kill()
	}
	return result, last
}

// orEnded says how a process ended.
func orEnded(err error) string {
	if err != nil {
		return err.Error()
	}
	return "exit status 0"
}

// taken reports whether the process has read all of its job.
func taken(written <-chan error) bool {
	select {
	case err := <-written:
		return err == nil
	case <-time.After(stragglers):
		return false
	}
}

// A request is the line in front of a payload.
type request struct {
	Function string `json:"function"`
	Handle   string `json:"handle"`
	Unique   string `json:"unique"`
	Size     int    `json:"size"`
}

func send(w io.Writer, t task) error {
	head, err := json.Marshal(request{t.function, t.handle, t.unique, len(t.payload)})
	if err == nil {
		_, err = w.Write(append(append(head, '\n'), t.payload...))
	}
	return err
}

// An answer is a line that a process says.
type answer struct {
	Type string
	Size int
	Done uint64
	Of   uint64
}

// hear listens to the process until the job has its last word: a result, or
// what a handler returns in place of one. err is about the process.
func (r *resident) hear(t task) (result []byte, last, err error) {
	for {
		a, data, err := r.next()
		if err != nil {
			return nil, nil, err
		}
		switch a.Type {
		case "data":
			t.Data(data)
		case "warning":
			t.Warning(data)
		case "progress":
			t.Progress(a.Done, a.Of)
		case "complete":
			return data, nil, nil
		case "fail":
			return nil, clients.ErrFailed, nil
		case "exception":
			return nil, &clients.Exception{Data: data}, nil
		default:
			return nil, nil, fmt.Errorf("the process answered with the type %.20q", a.Type)
		}
	}
}

// next reads one answer.
func (r *resident) next() (a answer, data []byte, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return a, nil, fmt.Errorf("the process gave no answer: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, nil, fmt.Errorf("the process answered with %.40q, which is no line of JSON", line)
	}
	if a.Size < 0 || a.Size > r.options.Limit {
		return a, nil, fmt.Errorf("the process announced %d bytes; the limit is %d", a.Size, r.options.Limit)
	}
	data = make([]byte, a.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return a, nil, fmt.Errorf("the process ended in the middle of an answer: %w", err)
	}
	return a, data, nil
}
