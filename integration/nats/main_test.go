package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"
)

// As the server of NATS, this program is the test's own binary.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == serve {
		main()
	}
	os.Exit(m.Run())
}

func TestCompare(t *testing.T) {
	s := &shape{pairs: 2, size: 100, duration: 300 * time.Millisecond}
	dir := t.TempDir()
	binary, err := build(dir)
	if err != nil {
		t.Fatal(err)
	}
	gearbolt, err := startGearbolt(binary, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer gearbolt.Kill()
	nats, err := startNATS()
	if err != nil {
		t.Fatal(err)
	}
	defer nats.Kill()
	contest := [2]*contestant{
		{name: "ours", round: func() (round, error) { return callGearbolt(context.Background(), binary, gearbolt.addr, s) }},
		{name: "theirs", round: func() (round, error) { return request(context.Background(), nats, s) }},
	}
	for range 2 {
		for _, c := range contest {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out bytes.Buffer
	if err := report(&out, contest, "json"); err != nil {
		t.Fatal(err)
	}
	var got struct{ Gearbolt, NATS round }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, r := range []round{got.Gearbolt, got.NATS} {
		if r.PerSecond <= 0 || r.P50 <= 0 || r.P99 < r.P50 || r.CPU <= 0 {
			t.Errorf("got %s", out.String())
		}
	}
}

func TestMedian(t *testing.T) {
	c := &contestant{rounds: []round{{CPU: 3, P50: 1}, {CPU: 1, P50: 5}, {CPU: 2, P50: 2}, {CPU: 9, P50: 4}}}
	if m := c.median(); m.CPU != 2.5 || m.P50 != 3 {
		t.Errorf("got %+v", m)
	}
}
