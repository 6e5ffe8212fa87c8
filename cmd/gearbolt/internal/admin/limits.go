package admin

import "strconv"

// Limits are how many jobs of a function the server keeps, by priority; 0 is
// no bound.
type Limits struct {
	High   int `json:"high"`
	Normal int `json:"normal"`
	Low    int `json:"low"`
}

// Limits lists the limits by function. Only a Gearbolt can.
func (c *Conn) Limits() (map[string]Limits, error) {
	if err := c.say("show maxqueue"); err != nil {
		return nil, err
	}
	return c.limits()
}

func (c *Conn) limits() (map[string]Limits, error) {
	all := make(map[string]Limits)
	return all, c.rows(func(line string) error {
		var l Limits
		name, err := row(line, &l.High, &l.Normal, &l.Low)
		all[name] = l
		return err
	})
}

// SetLimits bounds how many jobs of a function the server keeps, by priority;
// 0 is no bound.
func (c *Conn) SetLimits(function string, high, normal, low int) error {
	_, err := c.ask("maxqueue", function, strconv.Itoa(high), strconv.Itoa(normal), strconv.Itoa(low))
	return err
}

// ByteLimits lists how many bytes of payloads the jobs of a function may have
// together, by function. Only a Gearbolt can.
func (c *Conn) ByteLimits() (map[string]int, error) {
	if err := c.say("show maxqueuebytes"); err != nil {
		return nil, err
	}
	all := make(map[string]int)
	return all, c.rows(func(line string) error {
		var bytes int
		name, err := row(line, &bytes)
		all[name] = bytes
		return err
	})
}

// SetByteLimit bounds how many bytes of payloads the jobs of a function may
// have together; 0 is no bound. Only a Gearbolt obeys.
func (c *Conn) SetByteLimit(function string, bytes int64) error {
	_, err := c.ask("maxqueuebytes", function, strconv.FormatInt(bytes, 10))
	return err
}

// A Bound is a limit of the whole server, and what of it is used. Which of them
// count bytes, their names tell.
type Bound struct {
	Setting string `json:"setting"` // of the server
	Limit   int    `json:"limit"`   // 0: none
	Used    int    `json:"used"`    // or the most that one of those has for whom it counts
}

// Bounds lists the limits of the whole server. Only a Gearbolt can.
func (c *Conn) Bounds() (all []Bound, err error) {
	if err := c.say("show limits"); err != nil {
		return nil, err
	}
	err = c.rows(func(line string) (err error) {
		var b Bound
		b.Setting, err = row(line, &b.Limit, &b.Used)
		all = append(all, b)
		return err
	})
	return all, err
}

// A Counter is how often something has happened since the server's start.
type Counter struct {
	Name  string `json:"counter"`
	Count int    `json:"count"`
}

// Counters lists the counters, in the server's order. Only a Gearbolt can.
func (c *Conn) Counters() (all []Counter, err error) {
	if err := c.say("counters"); err != nil {
		return nil, err
	}
	err = c.rows(func(line string) (err error) {
		var n Counter
		n.Name, err = row(line, &n.Count)
		all = append(all, n)
		return err
	})
	return all, err
}

// rows reads a list and takes line after line.
func (c *Conn) rows(take func(line string) error) error {
	lines, err := c.list()
	for _, line := range lines {
		if err == nil {
			err = take(line)
		}
	}
	return err
}
