// Command demo shows in a few lines of output what Gearbolt does: it builds
// the server, starts it on the embedded store, calls a function of a worker
// and waits for the answer, hands in a background job, kills the server as a
// power cut would, starts it again and has the job done.
//
// Client and worker are github.com/mikespook/gearman-go, which knows nothing
// of Gearbolt.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/mikespook/gearman-go/client"
	"github.com/mikespook/gearman-go/worker"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("demo: ")
	dir, err := os.MkdirTemp("", "gearbolt-demo-")
	if err != nil {
		log.Fatal(err)
	}
	err = show(dir)
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

func show(dir string) error {
	router, err := newRouter(dir)
	if err != nil {
		return err
	}
	if err := router.start(); err != nil {
		return err
	}
	defer router.kill()
	if err := call(router.addr); err != nil {
		return err
	}
	return survive(router)
}

// call waits for the result of a function.
func call(addr string) error {
	w, err := work(addr, "reverse", func(job worker.Job) ([]byte, error) { return reverse(job.Data()), nil })
	if err != nil {
		return err
	}
	defer w.Close()
	c, err := client.New(client.Network, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	result := make(chan []byte, 1)
	began := time.Now()
	_, err = c.Do("reverse", []byte("Gearbolt"), client.JobNormal, func(r *client.Response) { result <- r.Data })
	if err != nil {
		return err
	}
	answer, err := await(result)
	if err != nil {
		return fmt.Errorf("reverse: %w", err)
	}
	fmt.Printf("call        reverse(%q) = %q, in %v\n", "Gearbolt", answer, time.Since(began).Round(10*time.Microsecond))
	return nil
}

// survive hands in a job that nobody can run yet, kills the server, and has the
// job run after the restart.
func survive(r *router) error {
	handle, err := submit(r.addr)
	if err != nil {
		return err
	}
	fmt.Printf("background  the job %s is accepted, so it is on disk; no worker is there for it\n", handle)
	r.kill()
	fmt.Println("kill -9     the router is gone")
	if err := r.start(); err != nil {
		return err
	}
	if err := known(r.addr, handle); err != nil {
		return err
	}
	done := make(chan []byte, 1)
	w, err := work(r.addr, "report", func(job worker.Job) ([]byte, error) {
		done <- bytes.Clone(job.Data())
		return nil, nil
	})
	if err != nil {
		return err
	}
	defer w.Close()
	payload, err := await(done)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	fmt.Printf("worker      a worker for it has come, and ran it with %q\n", payload)
	return nil
}

func submit(addr string) (handle string, err error) {
	c, err := client.New(client.Network, addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.DoBg("report", []byte("November"), client.JobNormal)
}

// known asks for a job by the handle that it had before the restart.
func known(addr, handle string) error {
	c, err := client.New(client.Network, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := c.Status(handle)
	if err != nil {
		return err
	}
	if !status.Known {
		return fmt.Errorf("%s was lost", handle)
	}
	fmt.Printf("restart     GET_STATUS %s: known=%v running=%v\n", handle, status.Known, status.Running)
	return nil
}

// work starts a worker for one function.
func work(addr, function string, f worker.JobFunc) (*worker.Worker, error) {
	w := worker.New(worker.OneByOne)
	w.ErrorHandler = func(error) {} // it reports its own end as one
	if err := w.AddServer("tcp", addr); err != nil {
		return nil, err
	}
	if err := w.AddFunc(function, f, worker.Unlimited); err != nil {
		return nil, err
	}
	if err := w.Ready(); err != nil {
		return nil, err
	}
	go w.Work()
	return w, nil
}

// await is what comes, if it comes in time.
func await(c <-chan []byte) ([]byte, error) {
	select {
	case b := <-c:
		return b, nil
	case <-time.After(10 * time.Second):
		return nil, fmt.Errorf("no answer in 10 s")
	}
}

func reverse(b []byte) []byte {
	r := make([]byte, len(b))
	for i, c := range b {
		r[len(b)-1-i] = c
	}
	return r
}
