package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/mikespook/gearman-go/worker"
)

var stdin = bufio.NewScanner(os.Stdin)

func announce(job worker.Job) {
	data := job.Data()
	hexLine("job "+job.Fn(), data[:min(len(data), 32)])
}

func awaitGo() {
	if !stdin.Scan() {
		os.Exit(0)
	}
}

var behaviours = map[string]worker.JobFunc{
	"reverse": func(job worker.Job) ([]byte, error) {
		announce(job)
		return reversed(job.Data()), nil
	},
	"hold": hold,
	"progress": func(job worker.Job) ([]byte, error) {
		job.UpdateStatus(3, 10)
		return hold(job)
	},
	"data": func(job worker.Job) ([]byte, error) {
		announce(job)
		job.SendData([]byte("one"))
		job.SendData([]byte("two"))
		return []byte("done"), nil
	},
	"warning": func(job worker.Job) ([]byte, error) {
		announce(job)
		job.SendWarning([]byte("careful"))
		return []byte("done"), nil
	},
	"fail": func(job worker.Job) ([]byte, error) {
		announce(job)
		return nil, errors.New("failed")
	},
	// The library sends WORK_EXCEPTION when a function returns both.
	"exception": func(job worker.Job) ([]byte, error) {
		announce(job)
		return []byte("boom"), errors.New("boom")
	},
}

func hold(job worker.Job) ([]byte, error) {
	announce(job)
	awaitGo()
	return reversed(job.Data()), nil
}

// work serves the functions named until the process is killed. A lost server
// ends it: the library does not connect again by itself.
func work(addr string, specs []string) error {
	w := worker.New(worker.OneByOne)
	w.ErrorHandler = report
	if err := w.AddServer("tcp", addr); err != nil {
		return err
	}
	for _, spec := range specs {
		if err := add(w, strings.Split(spec, "=")); err != nil {
			return err
		}
	}
	if err := w.Ready(); err != nil {
		return err
	}
	w.SetId("mikespook")
	w.Work()
	return nil
}

// add registers FUNCTION=BEHAVIOUR[=TIMEOUT]. The library takes the timeout
// for seconds, and sends the number as it is: the server's milliseconds.
func add(w *worker.Worker, spec []string) error {
	var timeout uint64
	if len(spec) > 2 {
		var err error
		if timeout, err = strconv.ParseUint(spec[2], 10, 32); err != nil {
			return err
		}
	}
	return w.AddFunc(spec[0], behaviours[spec[1]], uint32(timeout))
}

// report tells of errors other than those that a function returned.
func report(err error) {
	if lost := new(worker.WorkerDisconnectError); errors.As(err, &lost) {
		os.Exit(1)
	}
	if msg := err.Error(); msg != "failed" && msg != "boom" {
		fmt.Println("error", msg)
	}
}
