package cli

import (
	"slices"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// small is a load that takes moments.
var small = []string{"--rounds", "1", "--duration", "30ms", "--jobs", "200", "--idle", "20", "--functions", "20", "--storm", "3",
	"--clients", "2", "--workers", "2"}

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
		LoadCPU       float64                          `json:"load_cpu_us_per_job"`
		Figures       map[string]float64
		Rounds        []any
	}
}

// figures are those that a kind of load has for itself and that cannot be 0.
var figures = map[string][]string{
	"beside": {"ECHO/s", "background/s", "p99 µs beside ECHO", "p99 µs beside background"},
	"storm":  {"CAN_DO/s", "worst call µs"},
}

func TestBenchOfTwoServers(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	other := &stage{t, harness.Gearmand(t)}
	kinds := []string{"sync", "background", "drain", "flow", "turnover", "mixed", "idle", "queued", "functions", "abilities", "storm"}
	args := slices.Concat([]string{"bench", "--unique", "--against", other.server.Addr}, small)
	var got, beside report
	s.list(&got, append(args, kinds...)...)
	s.list(&beside, append(args, "beside", "--duration", "500ms")...) // a slow disk syncs within half of it
	got.Results, kinds = append(got.Results, beside.Results...), append(kinds, "beside")
	if len(got.Servers) != 2 || got.Servers[0].PID != s.server.Cmd.Process.Pid || got.Servers[1].PID != other.server.Cmd.Process.Pid {
		t.Errorf("servers: %+v", got.Servers)
	}
	if len(got.Results) != 2*len(kinds) {
		t.Errorf("%d results of %d kinds at 2 servers", len(got.Results), len(kinds))
	}
	for _, r := range got.Results {
		if r.Jobs < 1 || r.JobsPerSecond <= 0 || r.Latency.P50 <= 0 || r.Latency.P999 < r.Latency.P99 || r.Latency.P99 < r.Latency.P50 ||
			r.CPU <= 0 || r.LoadCPU <= 0 || r.Memory < 1<<20 || len(r.Rounds) != 1 {
			t.Errorf("%+v", r)
		}
		for _, figure := range figures[r.Kind] {
			if r.Figures[figure] <= 0 {
				t.Errorf("%s at %s: no %q in %v", r.Kind, r.Server, figure, r.Figures)
			}
		}
		if r.Parked && r.Server == other.server.Addr {
			t.Errorf("gearmand keeps grabs: %+v", r)
		}
	}
	for _, one := range []*stage{s, other} {
		harness.Await(t, one.server.Name+" has nothing left of it", func() bool { return len(one.status()) == 0 })
	}
}

func TestBenchOfTheLibrary(t *testing.T) {
	eachServer(t, func(s *stage) {
		for _, library := range []string{"--library", "--library=workers"} {
			for _, parked := range []string{"auto", "off"} {
				var got report
				s.list(&got, append([]string{"bench", library, "--parked", parked}, small...)...)
				if len(got.Results) != 1 || got.Results[0].Jobs < 1 || got.Results[0].Parked && parked == "off" {
					s.Errorf("%s, %s: %+v", library, parked, got)
				}
			}
		}
	})
}

// Jobs that are kept are there for somebody else, and turnover does no more of
// them than it queues.
func TestBenchKeepsJobs(t *testing.T) {
	eachServer(t, func(s *stage) {
		args := append([]string{"--function", "kept", "--keep"}, small...)
		for _, kind := range []string{"queued", "turnover"} {
			if r := s.run("", append([]string{"bench", kind}, args...)...); r.code != 0 {
				s.Fatalf("%s: %+v", kind, r)
			}
		}
		var f []function
		harness.Await(s, "the worker is gone", func() bool {
			f = s.status()
			return len(f) != 1 || f[0].Workers == 0
		})
		if len(f) != 1 || f[0].Function != "kept" || f[0].Jobs != 200 || f[0].Running != 0 {
			s.Errorf("of 200 jobs are left: %+v", f)
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
