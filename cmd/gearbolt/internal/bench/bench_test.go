package bench

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	h, other := new(histogram), new(histogram)
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]time.Duration, 10000)
	for i := range all {
		all[i] = time.Duration(rng.ExpFloat64() * float64(time.Millisecond))
		if i%2 == 0 {
			h.add(all[i])
		} else {
			other.add(all[i])
		}
	}
	h.merge(other)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
		want := all[min(int(q*float64(len(all))), len(all)-1)]
		if got := h.quantile(q); got < want*99/100 || got > want*101/100 {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
	if got := new(histogram).quantile(0.5); got != 0 {
		t.Errorf("of nothing: got %v", got)
	}
}

func TestBucketsAreClose(t *testing.T) {
	for v := uint64(1); v < 1<<62; v += v/8 + 1 {
		m := middle(bucket(v))
		if d := max(m, v) - min(m, v); d > v/100 {
			t.Fatalf("%d stands in a bucket for %d", v, m)
		}
	}
	h := new(histogram)
	h.add(-1)
	h.add(1<<63 - 1)
}

func TestResult(t *testing.T) {
	samples := []*sample{
		{jobs: 10, took: time.Second, cpu: 20 * time.Microsecond, own: 30 * time.Microsecond, memory: 3 << 20, parked: true},
		{jobs: 40, took: time.Second, cpu: 40 * time.Microsecond, memory: 1 << 20, parked: true},
		{jobs: 20, took: time.Second, cpu: 80 * time.Microsecond, memory: 2 << 20, parked: false},
	}
	for _, s := range samples {
		for range s.jobs {
			s.latency.add(100)
		}
		s.show("jobs", float64(s.jobs))
	}
	r := result("sync", "s", samples)
	if r.PerSecond != 20 || r.Slowest != 10 || r.Fastest != 40 || r.Jobs != 70 || r.Parked || r.CPU != 2 || r.Memory != 2<<20 || r.Latency.P99 != 0.1 ||
		r.LoadCPU != 0 || r.Figures["jobs"] != 20 {
		t.Errorf("got %+v", r)
	}
	report := &Report{Servers: make([]Server, 2), Results: []Result{r, r}}
	if rows := report.Rows(); len(rows) != 3 || rows[2][2] != "×1.00" || rows[0][len(Columns)-1] != "20 jobs" {
		t.Errorf("got %q", rows)
	}
	for _, row := range report.Rows() {
		if len(row) != len(Columns) {
			t.Errorf("%d cells for %d columns: %q", len(row), len(Columns), row)
		}
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of four: got %v", got)
	}
}

// This process is the server: it is known for its sockets and its own number.
func TestProcessIsChecked(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "socket")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		nc, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		us, parent := &process{os.Getpid()}, &process{os.Getppid()}
		if err := us.check(nc); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		if err := parent.check(nc); err == nil {
			t.Errorf("%s: another process was taken for the server", network)
		}
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if err := (&process{os.Getpid()}).check(near); err == nil {
		t.Error("a connection from elsewhere was taken for one of this machine")
	}
}

func TestClocks(t *testing.T) {
	p := &process{os.Getpid()}
	before, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 20*time.Millisecond; {
	}
	after, err := p.cpu()
	if err != nil || after <= before {
		t.Errorf("from %v to %v, %v", before, after, err)
	}
	if p.memory() < 1<<20 {
		t.Errorf("memory %d", p.memory())
	}
	if _, err := (&process{1 << 22}).cpu(); err == nil {
		t.Error("the clock of nobody can be read")
	}
}
