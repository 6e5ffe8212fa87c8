package work

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"gearbolt/clients"
)

// PerJob runs a process for each job.
type PerJob struct{ Options }

// Handle is a [clients.Handler].
func (p *PerJob) Handle(ctx context.Context, job *clients.Job) ([]byte, error) {
	return p.do(ctx, taskOf(job))
}

func (p *PerJob) do(ctx context.Context, t task) ([]byte, error) {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	cmd := exec.Command(p.Command[0], p.Command[1:]...)
	cmd.Env = p.Guard.environment("GEARMAN_JOB_FUNCTION="+t.function, "GEARMAN_JOB_HANDLE="+t.handle, "GEARMAN_JOB_UNIQUE="+t.unique)
	out := &output{limit: p.Limit}
	warnings := &lines{say: t.Warning}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(t.payload), out, warnings
	progress, err := listenProgress(cmd, t)
	if err != nil {
		return nil, exception("%v", err)
	}
	running, err := begin(cmd, p.Guard)
	progress.begun()
	if err != nil {
		return nil, exception("%v", err)
	}
	err = running.wait(ctx, p.Grace)
	progress.wait()
	warnings.flush()
	return p.outcome(ctx, err, out, warnings.last)
}

// outcome says what the end of a process means.
func (p *PerJob) outcome(ctx context.Context, err error, out *output, last string) ([]byte, error) {
	var exit *exec.ExitError
	switch interrupted := p.interrupted(ctx); {
	case out.full:
		return nil, exception("the output exceeds %d bytes", p.Limit)
	case interrupted != nil:
		return nil, interrupted
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // a process that left the group holds a pipe
		return out.b, nil
	case !errors.As(err, &exit):
		return nil, exception("%v", err)
	case !exit.Exited():
		return nil, exception("%v", exit)
	case last == "":
		return nil, fmt.Errorf("%w: %v", clients.ErrFailed, exit)
	default:
		return nil, exception("%v: %s", exit, last)
	}
}

// output keeps what is written, up to a limit. More is an error, at which the
// writer's pipe is closed.
type output struct {
	b     []byte
	limit int
	full  bool
}

var errFull = errors.New("too much output")

func (w *output) Write(p []byte) (int, error) {
	if len(w.b)+len(p) > w.limit {
		w.full = true
		return 0, errFull
	}
	w.b = append(w.b, p...)
	return len(p), nil
}

// A progress reads what a process writes to its descriptor 3.
type progress struct {
	r, w *os.File
	done chan struct{}
}

func listenProgress(cmd *exec.Cmd, t task) (*progress, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{w}
	p := &progress{r: r, w: w, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		io.Copy(&lines{say: func(line []byte) error {
			var done, of uint64
			if n, _ := fmt.Sscanf(string(line), "%d/%d", &done, &of); n == 2 {
				t.Progress(done, of)
			}
			return nil
		}}, r)
	}()
	return p, nil
}

// begun gives the writing end to the process alone.
func (p *progress) begun() { p.w.Close() }

// wait waits until all is read, but not for those who left the group.
func (p *progress) wait() {
	p.r.SetReadDeadline(soon())
	<-p.done
	p.r.Close()
}
