package cli

import (
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// small is a load that takes moments.
var small = []string{"--rounds", "1", "--duration", "30ms", "--jobs", "200", "--idle", "20", "--functions", "20", "--clients", "2", "--workers", "2"}

// A report is the part of bench's JSON that is looked at here.
type report struct {
	Servers []struct {
		Address string
		PID     int
	}
	Results []struct {
		Kind, Server  string
		Jobs          int
		Parked        bool
		JobsPerSecond float64                          `json:"jobs_per_second"`
		CPU           float64                          `json:"cpu_us_per_job"`
		Memory        int64                            `json:"memory_bytes"`
		Latency       struct{ P50, P99, P999 float64 } `json:"latency_us"`
		Rounds        []any
	}
}

func TestBenchOfTwoServers(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	other := &stage{t, harness.Gearmand(t)}
	args := append([]string{"bench", "sync", "background", "drain", "mixed", "idle", "functions", "--against", other.server.Addr}, small...)
	var got report
	s.list(&got, args...)
	if len(got.Servers) != 2 || got.Servers[0].PID != s.server.Cmd.Process.Pid || got.Servers[1].PID != other.server.Cmd.Process.Pid {
		t.Errorf("servers: %+v", got.Servers)
	}
	if len(got.Results) != 12 {
		t.Errorf("%d results of 6 kinds at 2 servers", len(got.Results))
	}
	for _, r := range got.Results {
		if r.Jobs < 1 || r.JobsPerSecond <= 0 || r.Latency.P50 <= 0 || r.Latency.P999 < r.Latency.P99 || r.Latency.P99 < r.Latency.P50 ||
			r.CPU <= 0 || r.Memory < 1<<20 || len(r.Rounds) != 1 {
			t.Errorf("%+v", r)
		}
		if r.Parked && r.Server == other.server.Addr {
			t.Errorf("gearmand keeps grabs: %+v", r)
		}
	}
	for _, one := range []*stage{s, other} {
		if f := one.status(); len(f) != 0 {
			t.Errorf("%s has been left with %+v", one.server.Name, f)
		}
	}
}

func TestBenchOfTheLibrary(t *testing.T) {
	eachServer(t, func(s *stage) {
		for _, parked := range []string{"auto", "off"} {
			var got report
			s.list(&got, append([]string{"bench", "--library", "--parked", parked}, small...)...)
			if len(got.Results) != 1 || got.Results[0].Jobs < 1 || got.Results[0].Parked && parked == "off" {
				s.Errorf("%s: %+v", parked, got)
			}
		}
	})
}

func TestBenchAsATable(t *testing.T) {
	s := &stage{t, harness.Gearmand(t)}
	r := s.run("", append([]string{"bench"}, small...)...)
	if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "\nsync  "+s.server.Addr) {
		t.Errorf("got %+v", r)
	}
	r = s.run("", append([]string{"bench", "--parked", "on"}, small...)...)
	if r.code != 1 || !strings.Contains(r.stderr, "leave out --parked=on") {
		t.Errorf("got %+v", r)
	}
}
