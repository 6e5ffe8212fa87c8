package admin

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzLists reads lines of lists as any server may write them.
func FuzzLists(f *testing.F) {
	f.Add("f\t1\t2\t3", "u")
	f.Add("7 127.0.0.1 an id : f g", "")
	f.Add("f\tu\t127.0.0.1:9\t1", "u")
	f.Add("a\tb\t\t-\t0", "b\t")
	f.Add("\t\t\t", "-")
	f.Fuzz(func(t *testing.T, line, unique string) {
		var a, b, c int
		if name, err := row(line, &a, &b, &c); err == nil && !strings.HasPrefix(line, name+"\t") {
			t.Errorf("%q has name %q", line, name)
		}
		if w, err := worker(line); err == nil {
			if head := fmt.Sprintf("%s %s %s :", w.Connection, w.Address, w.ID); !strings.HasPrefix(line+" ", head) {
				t.Errorf("%q is worker %+v", line, w)
			}
		}
		var j Job
		if j.detail(line, unique) && !strings.HasPrefix(line, j.Function+"\t"+j.Unique+"\t") {
			t.Errorf("%q is job %+v", line, j)
		}
	})
}
