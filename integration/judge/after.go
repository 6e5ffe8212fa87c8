package judge

import (
	"fmt"
	"strings"
	"time"

	"gearbolt/persist"
	"gearbolt/persist/bolt"
	"gearbolt/protocol"
)

// After is what is there after a fault: a server, a store, or both, of the same
// moment. What is nil was not looked at.
type After struct {
	Server *Server
	Store  *Store
}

// A Server is what a server says of itself.
type Server struct {
	Jobs   []string         // handles, as "show jobs" has them
	Counts map[string]Count // by function
	Alive  error            // why no job went through; nil: one did
}

// A Count is what "status" and "prioritystatus" say of a function.
type Count struct {
	Total, Running, High, Normal, Low int
}

// A Store is what is in a store that nobody has open.
type Store struct {
	Jobs []persist.Job
	Err  error // why it cannot be read
}

// HandleOf returns the handle that a record stands for.
func HandleOf(j *persist.Job) string { return j.Prefix + ":" + j.ID.String() }

// Look asks the server at addr for all that it has, and has a background job go
// through it, which the book knows.
func (b *Book) Look(addr string) (*Server, error) {
	l, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	s := &Server{Counts: make(map[string]Count)}
	// First, since it also ends the jobs of earlier looks that a crash has
	// brought back.
	s.Alive = b.roundTrip(addr)
	if err := s.list(l); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) list(l *Line) error {
	jobs, err := l.List("show jobs")
	if err != nil {
		return err
	}
	for _, line := range jobs {
		handle, _, _ := strings.Cut(line, "\t")
		s.Jobs = append(s.Jobs, handle)
	}
	status, err := l.List("status")
	if err != nil {
		return err
	}
	waiting, err := l.List("prioritystatus")
	if err != nil {
		return err
	}
	for i, line := range status {
		name, numbers, _ := strings.Cut(line, "\t")
		var c Count
		var workers int
		if _, err := fmt.Sscan(numbers, &c.Total, &c.Running, &workers); err != nil {
			return fmt.Errorf("status: %q: %w", line, err)
		}
		if i >= len(waiting) {
			return fmt.Errorf("prioritystatus lacks %s", name)
		}
		_, numbers, _ = strings.Cut(waiting[i], "\t")
		if _, err := fmt.Sscan(numbers, &c.High, &c.Normal, &c.Low, &workers); err != nil {
			return fmt.Errorf("prioritystatus: %q: %w", waiting[i], err)
		}
		s.Counts[name] = c
	}
	return nil
}

// probing is the function of the jobs that show that a server is alive.
const probing = "judge.probe"

// roundTrip has a background job submitted, assigned and completed.
func (b *Book) roundTrip(addr string) error {
	c, err := b.Client(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Conn.SetDeadline(time.Now().Add(Patience))
	token := fmt.Sprintf("probe-%d", c.Number)
	if err := c.Submit(&Job{Token: token, Type: protocol.SubmitJobHighBG, Function: probing, Payload: token + "|"}); err != nil {
		return err
	}
	if _, err := c.Answer(); err != nil {
		return err
	}
	w, err := b.Worker(addr, probing)
	if err != nil {
		return err
	}
	defer w.Close()
	w.Conn.SetDeadline(time.Now().Add(Patience))
	return w.Drain()
}

// ReadStore reads the store in dir, which nobody has open. To read it is to
// start it: its epoch goes up by one.
func ReadStore(dir string) *Store {
	s := new(Store)
	s.Err = s.read(dir)
	return s
}

func (s *Store) read(dir string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	store, err := bolt.Open(bolt.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer store.Close()
	return store.Load(func(c persist.Change) error {
		if c.Kind == persist.PutJob {
			s.Jobs = append(s.Jobs, *c.Job)
		}
		return nil
	})
}
