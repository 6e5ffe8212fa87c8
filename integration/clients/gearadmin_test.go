package clients

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

const gearadminName = "gearadmin"

// gearadmin runs the tool against the server and returns its output and
// whether it succeeded.
func gearadmin(t testing.TB, s *harness.Server, option string) (output string, ok bool) {
	t.Helper()
	cmd := exec.Command("gearadmin", "--host=127.0.0.1", "--port="+s.Port(), option)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// adminStage is a server with a job that runs and three that wait.
type adminStage struct {
	*testing.T
	server  *harness.Server
	handles []string // of the jobs of "waits", in order
}

func newAdminStage(t *testing.T) *adminStage {
	s := &stage{TB: t, server: launch(t), onClient: peerNamed("C"), onWorker: peerNamed("C")}
	w := s.worker("runs=hold")
	c := s.client()
	c.ask("bg runs normal running %s", hexOf("x"))
	w.expect("job runs " + hexOf("x"))
	a := &adminStage{T: t, server: s.server}
	for _, priority := range []string{"low", "normal", "high"} {
		a.handles = append(a.handles, c.ask("bg waits %s id-%s %s", priority, priority, hexOf("x")).handle())
	}
	return a
}

// says fails the test unless the tool succeeds and says what is wanted. The
// order of lines counts for nothing: gearmand's is that of a hash table.
func (a *adminStage) says(option, want string) {
	a.Helper()
	out, ok := gearadmin(a, a.server, option)
	if !ok || !sameLines(out, want) {
		a.Fatalf("gearadmin %s says %q (success: %v), want %q", option, out, ok, want)
	}
}

func sameLines(a, b string) bool { return sortedLines(a) == sortedLines(b) }

func TestGearadmin(t *testing.T) {
	harness.Need(t, "gearadmin")
	for _, tc := range []struct {
		name string
		run  func(a *adminStage)
	}{
		{"Status", adminStatus},
		{"PriorityStatus", adminPriorityStatus},
		{"Workers", adminWorkers},
		{"ServerVersion", adminVersion},
		{"ServerVerbose", adminVerbose},
		{"Getpid", adminPid},
		{"ShowJobs", adminShowJobs},
		{"ShowUniqueJobs", adminShowUniqueJobs},
		{"CancelJob", adminCancel},
		{"CreateFunction", adminCreate},
		{"DropFunction", adminDrop},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			record(t, gearadminName, tc.name)
			tc.run(newAdminStage(t))
		})
	}
}

func adminStatus(a *adminStage) {
	a.says("--status", "runs\t1\t1\t1\nwaits\t3\t0\t0\n.\n")
}

func adminPriorityStatus(a *adminStage) {
	a.says("--priority-status", "runs\t0\t0\t0\t1\nwaits\t1\t1\t1\t0\n.\n")
}

func adminWorkers(a *adminStage) {
	out, ok := gearadmin(a, a.server, "--workers")
	if !ok || !regexp.MustCompile(`(?m)^\d+ 127\.0\.0\.1 c : runs$`).MatchString(out) {
		a.Fatalf("gearadmin --workers says %q, want a line for the C worker", out)
	}
	if !strings.HasSuffix(out, "\n.\n") {
		a.Fatalf("gearadmin --workers says %q, which does not end with a dot", out)
	}
}

// adminVersion wants a version that libraries take for at least 1.1.19: they
// choose the unit of timeouts by it.
func adminVersion(a *adminStage) {
	out, ok := gearadmin(a, a.server, "--server-version")
	if !ok || !regexp.MustCompile(`^(OK )?(1\.1\.(19|[2-9]\d)|[2-9]\d*\.\d+\.\d+)\S*\n$`).MatchString(out) {
		a.Fatalf("gearadmin --server-version says %q", out)
	}
}

func adminVerbose(a *adminStage) {
	out, ok := gearadmin(a, a.server, "--server-verbose")
	if !ok || !regexp.MustCompile(`^(OK )?(FATAL|ALERT|CRITICAL|ERROR|WARNING|NOTICE|INFO|DEBUG)\n$`).MatchString(out) {
		a.Fatalf("gearadmin --server-verbose says %q", out)
	}
}

func adminPid(a *adminStage) {
	out, ok := gearadmin(a, a.server, "--getpid")
	if !ok || strings.TrimPrefix(strings.TrimSpace(out), "OK ") != strconv.Itoa(a.server.Cmd.Process.Pid) {
		a.Fatalf("gearadmin --getpid says %q, want %d", out, a.server.Cmd.Process.Pid)
	}
}

func adminShowJobs(a *adminStage) {
	out, ok := gearadmin(a, a.server, "--show-jobs")
	if lines := strings.Count(out, "\n"); !ok || lines != 5 {
		a.Fatalf("gearadmin --show-jobs says %q, want four jobs and a dot", out)
	}
	for _, h := range a.handles {
		if !strings.Contains(out, h+"\t0\t0\t1\n") {
			a.Errorf("gearadmin --show-jobs says %q, without a line for %s", out, h)
		}
	}
}

func adminShowUniqueJobs(a *adminStage) {
	a.says("--show-unique-jobs", "running\nid-low\nid-normal\nid-high\n.\n")
}

func adminCancel(a *adminStage) {
	a.says("--cancel-job="+a.handles[0], "OK\n")
	a.says("--cancel-job=H:nobody:77", "Error: UNKNOWN_JOB\r\n")
	// What is left comes to a worker that arrives now; gearmand lists the
	// cancelled job until then.
	s := &stage{TB: a, server: a.server, onWorker: peerNamed("C")}
	s.worker("waits=reverse")
	s.idle("waits")
	if out, _ := gearadmin(a, a.server, "--show-unique-jobs"); !sameLines(out, "running\n.\n") {
		a.Errorf("gearadmin --show-unique-jobs says %q, want the running job alone", out)
	}
}

func adminCreate(a *adminStage) {
	a.says("--create-function=made", "OK\n")
	a.says("--status", "runs\t1\t1\t1\nwaits\t3\t0\t0\nmade\t0\t0\t0\n.\n")
}

func adminDrop(a *adminStage) {
	a.says("--create-function=made", "OK\n")
	a.says("--drop-function=made", "OK\n")
	a.says("--status", "runs\t1\t1\t1\nwaits\t3\t0\t0\n.\n")
	a.says("--drop-function=runs", "Error: there are still connected workers or executing clients\r\n")
	a.says("--drop-function=nobody", "Error: function not found\r\n")
}
