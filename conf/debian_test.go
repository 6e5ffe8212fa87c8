package conf

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// Lines such as "  -b [ --backlog ] arg (=32)   Number of …".
var helpLine = regexp.MustCompile(`(?m)^  (?:-(\w) \[ )?--([\w-]+)(?: \])?( arg)?(?: |$)`)

// Every option that the installed gearmand lists is understood, under the
// same letter and with an argument or without one, as there.
func TestOptionsOfInstalledGearmand(t *testing.T) {
	path, err := exec.LookPath("gearmand")
	if err != nil {
		path = "/usr/sbin/gearmand"
	}
	help, err := exec.Command(path, "--help").Output()
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("gearmand is not installed, and in CI nothing is skipped: %v", err)
	}
	if err != nil {
		t.Skipf("gearmand is not installed: %v", err)
	}
	lines := helpLine.FindAllStringSubmatch(string(help), -1)
	if len(lines) < 40 {
		t.Fatalf("only %d options found in\n%s", len(lines), help)
	}
	for _, m := range lines {
		short, long, arg := m[1], m[2], m[3] != ""
		o := optionByLong(long)
		if o == nil {
			t.Errorf("--%s is not understood", long)
		} else if o.short != short || o.arg != arg {
			t.Errorf("--%s: got short %q, argument %v; gearmand has %q, %v", long, o.short, o.arg, short, arg)
		}
	}
}
