package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mikespook/gearman-go/client"
)

// Packet types, which the library knows but does not export.
const (
	workStatus    = 12
	workComplete  = 13
	workFail      = 14
	workException = 25
	workData      = 28
	workWarning   = 29
)

// serve answers requests from stdin until it ends.
func serve(addr string, _ []string) error {
	c, err := client.New("tcp", addr)
	if err != nil {
		return err
	}
	// How long the library waits for JOB_CREATED; also how long it takes to
	// notice an ERROR in its place.
	c.ResponseTimeout = 5 * time.Second
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := answer(c, strings.Split(strings.TrimSuffix(line, "\n"), " ")); err != nil {
			fmt.Println("error", err)
		}
		fmt.Println("end")
	}
}

func answer(c *client.Client, words []string) error {
	switch words[0] {
	case "run":
		return runJob(c, words[1:])
	case "bg":
		return background(c, words[1:])
	case "state":
		return state(c, words[1])
	case "many":
		return many(c, words[1], words[2])
	case "ping":
		return ping(c, words[1])
	}
	return fmt.Errorf("no such request: %q", words[0])
}

var priorities = map[string]byte{"low": client.JobLow, "normal": client.JobNormal, "high": client.JobHigh}

// unique gives a job an id of its own when it is to have none: the library
// refuses an empty one.
func unique(word string) string {
	if word == "none" {
		return client.IdGen.Id()
	}
	return word
}

func runJob(c *client.Client, words []string) error {
	payload, err := hex.DecodeString(words[3])
	if err != nil {
		return err
	}
	done := make(chan struct{})
	handle, err := c.DoWithId(words[0], payload, priorities[words[1]], func(r *client.Response) {
		if report := event(r); report {
			close(done)
		}
	}, unique(words[2]))
	if err != nil {
		return err
	}
	<-done
	fmt.Println("created", handle)
	return nil
}

// event prints what became of a job and tells whether that was the last word.
func event(r *client.Response) (last bool) {
	switch r.DataType {
	case workData:
		hexLine("data", r.Data)
	case workWarning:
		hexLine("warning", r.Data)
	case workStatus:
		if s, err := r.Status(); err == nil {
			fmt.Println("status", s.Numerator, s.Denominator)
		}
	case workComplete:
		hexLine("complete", r.Data)
	case workException:
		hexLine("exception", r.Data)
	case workFail:
		fmt.Println("fail")
	}
	return isLast(r)
}

func isLast(r *client.Response) bool {
	return r.DataType == workComplete || r.DataType == workException || r.DataType == workFail
}

func background(c *client.Client, words []string) error {
	payload, err := hex.DecodeString(words[3])
	if err != nil {
		return err
	}
	handle, err := c.DoBgWithId(words[0], payload, priorities[words[1]], unique(words[2]))
	if err == nil {
		fmt.Println("created", handle)
	}
	return err
}

func state(c *client.Client, handle string) error {
	s, err := c.Status(handle)
	if err != nil {
		return err
	}
	digit := map[bool]int{true: 1}
	fmt.Println("state", digit[s.Known], digit[s.Running], s.Numerator, s.Denominator)
	return nil
}

func many(c *client.Client, function, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	right := 0 // only the library's one goroutine for handlers writes it
	for i := range n {
		payload := fmt.Appendf(nil, "payload %d", i)
		wg.Add(1)
		_, err := c.Do(function, payload, client.JobNormal, func(r *client.Response) {
			if !isLast(r) {
				return
			}
			if string(r.Data) == string(reversed(payload)) {
				right++
			}
			wg.Done()
		})
		if err != nil {
			return err
		}
	}
	wg.Wait()
	fmt.Println("right", right)
	return nil
}

func ping(c *client.Client, payload string) error {
	data, err := hex.DecodeString(payload)
	if err != nil {
		return err
	}
	echo, err := c.Echo(data)
	if err == nil {
		if string(echo) == string(data) {
			fmt.Println("pong")
		}
	}
	return err
}
