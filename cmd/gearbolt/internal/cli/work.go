package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/work"
	"gearbolt/protocol"
)

// A working is one run of the command work.
type working struct {
	*app
	work.Options
	functions []string
	processes int
	prefork   bool
	id        string
	patience  time.Duration
	verbose   bool
}

func (a *app) work() *cobra.Command {
	w := &working{app: a}
	c := &cobra.Command{
		Use:   "work FUNCTION... [flags] -- COMMAND [ARGUMENT...]",
		Short: "Do jobs by running a command",
		Long: `Does the jobs of one or more functions by running a command, a process for each
job: the payload is its standard input, its standard output the result.

  exit code 0              the job is done: the result
  another exit code        the function failed; if there was a warning, it raised an
                           exception: "exit status 2: " and the last warning
  a signal, or no time     an exception that says so
  a line on stderr         a warning, sent at once
  "3/10" on descriptor 3   progress: echo 3/10 >&3

The environment tells GEARMAN_JOB_FUNCTION, GEARMAN_JOB_HANDLE, GEARMAN_JOB_UNIQUE.

With --prefork the processes stay and take one job after the other. For each job
they read one line of JSON, and behind it as many bytes of payload as it says:

  {"function":"wc","handle":"H:host:1-2","unique":"","size":5}

and answer with lines of JSON, each followed by as many bytes as its size says:

  {"type":"data","size":3}  {"type":"warning","size":3}  {"type":"progress","done":3,"of":10}
  and last  {"type":"complete","size":5}  or  {"type":"exception","size":7}  or  {"type":"fail"}

When standard input ends they end. One that ends before, says something else or
is not done in time is replaced, and its job ends in an exception.

SIGINT or SIGTERM takes no new jobs and lets those that run end, for --shutdown-timeout;
then, or at the second signal, processes are ended, and the server gives their
jobs to other workers. To end a process, its process group gets SIGTERM, and
SIGKILL after --grace. No process outlives this one, even if it is killed.`,
		Example: `  gearbolt work wc -n 4 -- wc -c
  gearbolt work resize thumbnail --timeout 1m -- ./image.sh
  gearbolt work mail --prefork -n 8 -- python3 mailer.py
  gearbolt work hash --server jobs-1 --server jobs-2 -- sh -c 'sha256sum | cut -d" " -f1'`,
		Args:              w.arguments,
		ValidArgsFunction: a.functionNames,
		RunE:              func(*cobra.Command, []string) error { return w.run() },

		DisableFlagsInUseLine: true,
	}
	f := c.Flags()
	f.IntVarP(&w.processes, "processes", "n", 1, "how many processes may run at once")
	f.BoolVar(&w.prefork, "prefork", false, "processes that stay, see above")
	f.DurationVarP(&w.Timeout, "timeout", "t", 0, "how long a job may take; 0 is no bound")
	f.DurationVar(&w.Grace, "grace", 5*time.Second, "time between SIGTERM and SIGKILL")
	f.DurationVar(&w.patience, "shutdown-timeout", 10*time.Second, "how long running jobs may take to end after SIGINT or SIGTERM")
	f.StringVar(&w.id, "id", "", "`name` of this worker, which gearbolt workers shows")
	f.BoolVarP(&w.verbose, "verbose", "v", false, "a line for each job")
	return c
}

// arguments takes the functions and the command apart.
func (w *working) arguments(cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	if dash < 1 || dash == len(args) {
		return usageError("give functions and a command: gearbolt work FUNCTION... -- COMMAND [ARGUMENT...]")
	}
	w.functions, w.Command = args[:dash], args[dash:]
	switch {
	case w.processes < 1:
		return usageError("-n %d lets no process run; give at least 1", w.processes)
	case w.Timeout < 0 || w.Grace < 0 || w.patience < 0:
		return usageError("--timeout, --grace and --shutdown-timeout cannot be negative")
	}
	if _, err := exec.LookPath(w.Command[0]); err != nil {
		return usageError("the command cannot be run: %v", err)
	}
	return nil
}

// logger writes what the library and the jobs have to say.
func (w *working) logger() *slog.Logger {
	level := slog.LevelWarn
	if w.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w.Stderr, &slog.HandlerOptions{Level: level}))
}

// run works until a signal.
func (w *working) run() (err error) {
	set, err := w.servers()
	if err != nil {
		return err
	}
	w.Limit = protocol.DefaultPacketLimit - protocol.MaxHandle - 1
	if w.Guard, err = startGuard(); err != nil {
		return err
	}
	defer w.Guard.Close()
	c := config(set)
	c.ID, c.Logger = w.id, w.logger()
	worker, err := clients.NewWorker(c, w.processes)
	if err != nil {
		return err
	}
	handle := (&work.PerJob{Options: w.Options}).Handle
	if w.prefork {
		pool, err := work.NewPrefork(w.Options, w.processes)
		if err != nil {
			return fmt.Errorf("the processes cannot be started: %w", err)
		}
		defer pool.Close()
		handle = pool.Handle
	}
	for _, name := range w.functions {
		worker.Handle(name, logged(c.Logger, handle), clients.Timeout(w.ServerTimeout()))
	}
	return w.serve(worker)
}

// serve starts the worker and ends it as signals say.
func (w *working) serve(worker *clients.Worker) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	defer worker.Close() // when this returns no process is left
	if err := worker.Start(); err != nil {
		return err
	}
	<-signals
	ctx, cancel := context.WithTimeout(context.Background(), w.patience)
	defer cancel()
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	if isTerminal(w.Stderr) {
		w.complain("no new jobs; what runs may end within %v (again: at once)", w.patience)
	}
	if err := worker.Shutdown(ctx); err != nil {
		w.complain("jobs that ran were ended; the server gives them to other workers")
	}
	return nil
}

// logged tells of each job.
func logged(log *slog.Logger, handle clients.Handler) clients.Handler {
	return func(ctx context.Context, job *clients.Job) ([]byte, error) {
		begun := time.Now()
		result, err := handle(ctx, job)
		log := log.With("function", job.Function, "job", job.Handle.ID, "time", time.Since(begun).Round(time.Microsecond))
		switch {
		case err == nil:
			log.Info("done", "bytes", len(result))
		case errors.Is(err, context.Canceled):
			log.Info("given back")
		default:
			log.Info("failed", "error", oneLine(err.Error()))
		}
		return result, err
	}
}

// guardName is the command that NewGuard runs.
const guardName = "work-guard"

func startGuard() (*work.Guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return work.NewGuard(self, guardName)
}

func (a *app) guard() *cobra.Command {
	return &cobra.Command{
		Use:    guardName,
		Hidden: true,
		Args:   noArguments,
		RunE: func(*cobra.Command, []string) error {
			work.Watch(a.Stdin)
			return nil
		},
	}
}
