package admin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Function is a line of the answer to "status", with those of
// "prioritystatus" and "show maxqueue" that belong to it.
type Function struct {
	Name    string  `json:"function"`
	Jobs    int     `json:"jobs"` // that wait or run
	Running int     `json:"running"`
	Workers int     `json:"workers"`
	High    int     `json:"high"` // that wait, by priority
	Normal  int     `json:"normal"`
	Low     int     `json:"low"`
	Limits  *Limits `json:"limits,omitempty"` // nil: none, or the server does not tell
}

// A Worker is a line of the answer to "workers": a connection, with or without
// functions.
type Worker struct {
	Connection string   `json:"connection"` // its number
	Address    string   `json:"address"`
	ID         string   `json:"id"` // "-": none was given
	Functions  []string `json:"functions"`
}

// A Job is what a server tells of one. A gearmand tells only the first part.
type Job struct {
	Handle     string `json:"handle"`
	Attempts   int    `json:"attempts"`   // runs that were lost
	Ignored    bool   `json:"ignored"`    // nobody waits for it any more
	Background bool   `json:"background"` // on disk

	Detailed bool   `json:"-"` // whether the server tells what follows
	Function string `json:"function,omitempty"`
	Unique   string `json:"unique,omitempty"`
	Worker   string `json:"worker,omitempty"` // its address; "": the job waits
	Waiting  int    `json:"waiting"`          // clients
}

// Functions lists the functions, by name.
func (c *Conn) Functions() ([]Function, error) {
	if err := c.say("status", "prioritystatus", "show maxqueue"); err != nil {
		return nil, err
	}
	status, err := c.list()
	if err != nil {
		return nil, err
	}
	priorities, err := c.list()
	if err != nil {
		return nil, err
	}
	limits, err := c.limits()
	if err != nil && !IsUnknown(err) {
		return nil, err
	}
	byName := make(map[string]*Function, len(status))
	all := make([]Function, len(status))
	for i, line := range status {
		f := &all[i]
		if f.Name, err = row(line, &f.Jobs, &f.Running, &f.Workers); err != nil {
			return nil, err
		}
		byName[f.Name] = f
	}
	for _, line := range priorities {
		var high, normal, low, workers int
		name, err := row(line, &high, &normal, &low, &workers)
		if err != nil {
			return nil, err
		}
		if f := byName[name]; f != nil {
			f.High, f.Normal, f.Low = high, normal, low
		}
	}
	for name, l := range limits {
		if f := byName[name]; f != nil {
			f.Limits = &l
		}
	}
	slices.SortFunc(all, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// row reads a name and the numbers behind it, with tabs between. The name may
// hold tabs, too.
func row(line string, numbers ...*int) (name string, err error) {
	cells := strings.Split(line, "\t")
	at := len(cells) - len(numbers)
	if at < 1 {
		return "", fmt.Errorf("not a line of this list: %.60q", line)
	}
	for i, n := range numbers {
		if *n, err = strconv.Atoi(cells[at+i]); err != nil {
			return "", fmt.Errorf("not a line of this list: %.60q", line)
		}
	}
	return strings.Join(cells[:at], "\t"), nil
}

// Workers lists the connections.
func (c *Conn) Workers() ([]Worker, error) {
	if err := c.say("workers"); err != nil {
		return nil, err
	}
	lines, err := c.list()
	if err != nil {
		return nil, err
	}
	all := make([]Worker, len(lines))
	for i, line := range lines {
		if all[i], err = worker(line); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// worker reads "number address id : functions". An id may hold blanks.
func worker(line string) (Worker, error) {
	head, functions, ok := strings.Cut(line+" ", " : ")
	words := strings.SplitN(head, " ", 3)
	if !ok || len(words) != 3 {
		return Worker{}, fmt.Errorf("not a line of this list: %.60q", line)
	}
	w := Worker{Connection: words[0], Address: words[1], ID: words[2], Functions: strings.Fields(functions)}
	if w.Functions == nil {
		w.Functions = []string{}
	}
	return w, nil
}

// Jobs lists the jobs, in the order in which the server does. A Gearbolt's
// three lists are in one order and from one moment; if what they share differs
// all the same, it is asked again.
func (c *Conn) Jobs() ([]Job, error) {
	const attempts = 5
	for range attempts {
		jobs, settled, err := c.jobs()
		if err != nil || settled {
			return jobs, err
		}
	}
	return nil, errors.New("the list of jobs changes faster than it can be read; try again")
}

func (c *Conn) jobs() (all []Job, settled bool, err error) {
	if err := c.say("show jobs", "show unique jobs", "jobs"); err != nil {
		return nil, false, err
	}
	shown, err := c.list()
	if err != nil {
		return nil, false, err
	}
	uniques, err := c.list()
	if err != nil {
		return nil, false, err
	}
	all = make([]Job, len(shown))
	for i, line := range shown {
		var ignored, background int
		if all[i].Handle, err = row(line, &all[i].Attempts, &ignored, &background); err != nil {
			return nil, false, err
		}
		all[i].Ignored, all[i].Background = ignored == 1, background == 1
	}
	details, err := c.list()
	switch {
	case IsUnknown(err):
		return all, true, nil
	case err != nil:
		return nil, false, err
	case len(details) != len(shown) || len(uniques) != len(shown):
		return nil, false, nil
	}
	for i := range all {
		if !all[i].detail(details[i], uniques[i]) {
			return nil, false, nil
		}
	}
	return all, true, nil
}

// detail adds "function, unique, worker, waiting". The unique id, known from
// another list, tells where the function's name ends.
func (j *Job) detail(line, unique string) bool {
	head, err := row(line, &j.Waiting)
	at := strings.LastIndexByte(head, '\t')
	if err != nil || at < 0 {
		return false
	}
	j.Detailed, j.Unique = true, unique
	if j.Worker = head[at+1:]; j.Worker == "-" {
		j.Worker = ""
	}
	var ok bool
	j.Function, ok = strings.CutSuffix(head[:at], "\t"+unique)
	return ok
}
