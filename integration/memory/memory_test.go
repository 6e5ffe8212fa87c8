package memory

import (
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/protocol"
)

var full = flag.Bool("full", false, "offer 10 GiB each time")

const (
	mib    = 1 << 20
	memory = 256 * mib // of the server
)

// offered is how many bytes a test offers.
func offered() int {
	if *full {
		return 10 << 10 * mib
	}
	return 512 * mib
}

const (
	queueFull = "QUEUE_ERROR Job queue is full: queue-memory is used up"
	created   = "JOB_CREATED"
)

// survived checks that the server has kept to its memory, and works.
func survived(t *testing.T, g group, s *harness.Server) {
	t.Helper()
	if s.Exited() {
		t.Fatalf("the server is gone: %v\n%.2000s", s.Wait(time.Second), s.Output())
	}
	most := s.Memory(t, "VmHWM")
	if most > memory {
		t.Errorf("%d bytes were resident", most)
	}
	t.Logf("at most %d MiB resident, %d MiB with the files' cache", most/mib, g.used(t)/mib)
	client, worker := dial(t, s), dial(t, s)
	worker.Write(packet(protocol.CanDo, "after"))
	if kind, body := client.say(t, protocol.SubmitJobHigh, "after", "", "in"); kind != protocol.JobCreated {
		t.Fatalf("a job afterwards is answered %v %q", kind, body)
	}
	kind, body := worker.say(t, protocol.GrabJob)
	handle, _, _ := strings.Cut(body, "\x00")
	if kind != protocol.JobAssign {
		t.Fatalf("a worker afterwards is told %v %q", kind, body)
	}
	worker.Write(packet(protocol.WorkComplete, handle, "out"))
	if kind, body, err := client.read(); kind != protocol.WorkComplete || !strings.HasSuffix(body, "\x00out") {
		t.Errorf("the client is told %v %q, %v", kind, body, err)
	}
}

// drain works off n jobs.
func drain(t *testing.T, s *harness.Server, function string, n int) {
	t.Helper()
	w := dial(t, s)
	w.Write(packet(protocol.CanDo, function))
	for range n {
		kind, body := w.say(t, protocol.GrabJob)
		handle, _, _ := strings.Cut(body, "\x00")
		if kind != protocol.JobAssign {
			t.Fatalf("instead of a job there is %v %q", kind, body)
		}
		w.Write(packet(protocol.WorkComplete, handle, ""))
	}
}

// background offers jobs of size bytes, some more than memory has room for.
func background(t *testing.T, size, n int) {
	t.Parallel()
	g := newGroup(t, memory)
	s := g.start(t)
	heard := dial(t, s).offer(t, packet(protocol.SubmitJobBG, "f", "", strings.Repeat("x", size)), n)
	t.Logf("%d jobs of %d bytes: %v", n, size, heard)
	if heard[created]+heard[queueFull] != n || heard[created] < 1000 || heard[queueFull] == 0 {
		t.Errorf("of %d jobs, %v", n, heard)
	}
	drain(t, s, "f", 100)
	survived(t, g, s)
}

func TestJobsOfAKilobyte(t *testing.T) { background(t, 1<<10, offered()/(1<<10)) }

func TestJobsOfAHundredBytes(t *testing.T) { background(t, 100, offered()/400) }

// The payload of a foreground job lives in memory alone.
func TestLargeForegroundJobs(t *testing.T) {
	t.Parallel()
	g := newGroup(t, memory)
	s := g.start(t)
	c, n := dial(t, s), offered()/(8*mib)
	heard := c.offer(t, packet(protocol.SubmitJob, "f", "", strings.Repeat("x", 8*mib)), n)
	t.Logf("%d jobs of 8 MiB: %v", n, heard)
	if heard[created]+heard[queueFull] != n || heard[created] < 4 || heard[queueFull] == 0 {
		t.Errorf("of %d jobs, %v", n, heard)
	}
	c.Close()
	c = dial(t, s)
	awaitNoJobs(t, c)
	survived(t, g, s)
}

// awaitNoJobs waits until the server has heard that nobody waits any more.
func awaitNoJobs(t *testing.T, c *peer) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		c.Write([]byte("status\n"))
		lines := ""
		for !strings.HasSuffix(lines, ".\n") {
			line, err := c.in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			lines += line
		}
		if strings.HasPrefix(lines, "f\t0\t0\t") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there are jobs yet: %q", lines)
		}
	}
}

// Clients that never read what they wait for are cut off, the worst first.
func TestResultsThatNobodyReads(t *testing.T) {
	t.Parallel()
	g := newGroup(t, memory)
	s := g.start(t)
	worker, n := dial(t, s), offered()/(8*mib)
	worker.Write(packet(protocol.CanDo, "f"))
	result := strings.Repeat("x", 8*mib)
	var deaf []*peer
	for range n {
		if deaf = append(deaf, dial(t, s)); len(deaf) > 32 { // the kernel holds megabytes for each
			deaf[0].Close()
			deaf = deaf[1:]
		}
		if kind, body := deaf[len(deaf)-1].say(t, protocol.SubmitJob, "f", "", ""); kind != protocol.JobCreated {
			t.Fatalf("a job is answered %v %q", kind, body)
		}
		kind, body := worker.say(t, protocol.GrabJob)
		handle, _, _ := strings.Cut(body, "\x00")
		if kind != protocol.JobAssign {
			t.Fatalf("the worker is told %v %q", kind, body)
		}
		if _, err := worker.Write(packet(protocol.WorkComplete, handle, result)); err != nil {
			t.Fatal(err)
		}
	}
	if cuts := counter(t, s, "connections_cut_outbox_memory"); cuts == "0" {
		t.Error("nobody was cut off")
	} else {
		t.Logf("of %d clients %s were cut off", n, cuts)
	}
	survived(t, g, s)
}

// counter asks the server for a counter.
func counter(t *testing.T, s *harness.Server, name string) string {
	t.Helper()
	c := dial(t, s)
	c.Write([]byte("counters\n"))
	value := ""
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == ".\n" {
			return value
		}
		if n, v, _ := strings.Cut(strings.TrimSpace(line), "\t"); n == name {
			value = v
		}
	}
}

// halves sends on many connections a packet of size bytes but for its last
// sixth, and returns what they are told. Those that are told nothing for a while
// send the rest.
func halves(t *testing.T, s *harness.Server, size, conns int) answers {
	t.Helper()
	request := packet(protocol.SubmitJobBG, "f", "", strings.Repeat("x", size))
	half := len(request) / 6 * 5
	heard := make(chan string)
	for range conns {
		c := dial(t, s)
		go func() {
			c.Write(request[:half]) // may be refused before all is sent
			if c.silentFor(12 * time.Second) {
				c.Write(request[half:])
			}
			kind, body, err := c.read()
			if kind == protocol.Error {
				heard <- strings.ReplaceAll(body, "\x00", " ")
				return
			}
			heard <- fmt.Sprint(kind, err)
		}()
	}
	all := make(answers)
	for range conns {
		all[<-heard]++
	}
	return all
}

// Halves of packets that are larger than the memory has room for are refused by
// their headers. Of others as many arrive as there is room for, and the rest is
// refused: when it begins, or when it pauses and others wait for its room.
func TestHalvesOfLargePackets(t *testing.T) {
	t.Parallel()
	g := newGroup(t, memory)
	s := g.start(t)
	conns := min(offered()/(30*mib), 200)
	heard := halves(t, s, 60*mib, conns)
	t.Logf("halves of 60 MiB: %v", heard)
	if heard["ARGUMENT_TOO_LARGE Packet of 62914563 bytes exceeds the limit of 16777216"] != conns {
		t.Errorf("of %d, %v", conns, heard)
	}
	heard = halves(t, s, 12*mib, conns)
	t.Logf("halves of 12 MiB: %v", heard)
	const (
		noRoom  = "QUEUE_ERROR Too many large packets at once: read-memory is used up"
		tooSlow = "QUEUE_ERROR The packet comes too slowly while others wait: read-memory is used up"
	)
	whole := fmt.Sprint(protocol.JobCreated, nil)
	if refused := heard[noRoom] + heard[tooSlow]; refused == 0 || heard[whole] == 0 || refused+heard[whole] != conns {
		t.Errorf("of %d, %v", conns, heard)
	}
	survived(t, g, s)
}

// The negative control: a server that believes in a terabyte is killed.
func TestWithoutLimitsItIsKilled(t *testing.T) {
	t.Parallel()
	g := newGroup(t, memory)
	s := g.start(t, "--memory-limit=1TiB", "--packet-limit=64MiB")
	c := dial(t, s)
	go func() {
		request := packet(protocol.SubmitJob, "f", "", strings.Repeat("x", 8*mib))
		for range memory / len(request) * 4 {
			if _, err := c.Write(request); err != nil {
				return
			}
		}
	}()
	go c.hear(1 << 20)
	err := s.Wait(patience)
	status, _ := s.Cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !s.Exited() || status.Signal() != syscall.SIGKILL {
		t.Errorf("without limits the server ends with %v, and not by SIGKILL", err)
	}
}
