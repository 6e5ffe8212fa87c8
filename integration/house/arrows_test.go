package house

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// A room is a package, or with "/..." all packages below a path, and what it
// may know. The rooms stand in an order: none knows one below it.
type room struct {
	path string
	may  []string // all that it may import beside the standard library
	why  string   // nothing else
	not  []ban    // of the standard library, by itself or through our packages
}

// A ban is an import that a room must do without.
type ban struct {
	paths []string
	why   string
}

var (
	noIO    = ban{[]string{"net", "net/http", "os", "os/exec", "io/fs", "syscall"}, "it knows bytes and no sockets or files"}
	noOwnGo = ban{[]string{"sync", "sync/atomic", "context", "runtime"}, "who calls it brings the locks and the goroutines"}
	noLog   = ban{[]string{"log", "log/slog"}, "it returns what there is to say"}
	noTests = ban{[]string{"testing"}, "help for tests has no place in the program"}
)

var rooms = []room{
	{
		path: "protocol",
		why:  "it says what the bytes mean, to servers and to clients alike",
		not:  []ban{noIO, noOwnGo, noLog},
	},
	{
		path: "persist",
		why:  "what a store promises depends on no store and on nobody who uses one",
		not:  []ban{noIO, noOwnGo, noLog},
	},
	{
		path: "persist/internal/inbox",
		may:  []string{"persist"},
		why:  "it is what stores have in common",
		not:  []ban{noIO, noLog},
	},
	{
		path: "persist/persisttest",
		may:  []string{"persist"},
		why:  "the suite asks of a store what the contract says and no more",
	},
	{
		path: "persist/memory",
		may:  []string{"persist", "persist/internal/inbox"},
		why:  "a store knows jobs as records and not who runs them",
		not:  []ban{noIO, noLog, noTests},
	},
	{
		path: "persist/bolt",
		may:  []string{"persist", "persist/internal/inbox", "go.etcd.io/bbolt/...", "golang.org/x/sys/..."},
		why:  "a store knows jobs as records and not who runs them",
		not:  []ban{noLog, noTests},
	},
	{
		path: "router",
		may:  []string{"protocol", "persist"},
		why:  "the machine takes events and yields data, so that a seed replays a bug",
		not:  []ban{noIO, noOwnGo, noLog, {[]string{"math/rand", "math/rand/v2", "crypto/rand"}, "the same events give the same data"}},
	},
	{
		path: "router/server",
		may:  []string{"router", "protocol", "persist", "go.uber.org/zap/...", "golang.org/x/sys/..."},
		why:  "the shell is handed a store and plain options by whoever starts it",
		not:  []ban{noLog, noTests, {[]string{"net/http"}, "what people see in a browser is not its business"}},
	},
	{
		path: "clients",
		may:  []string{"protocol"},
		why:  "a program that submits jobs does not take the server along",
		not:  []ban{noTests},
	},
	{
		path: "conf",
		may:  []string{"github.com/spf13/viper", "github.com/spf13/pflag"},
		why:  "settings are a plain struct that the rooms need not have heard of",
		not:  []ban{noTests},
	},
	{
		path: "cmd/gearbolt/internal/target",
		why:  "where servers are is a matter of addresses and certificates",
		not:  []ban{noLog, noTests},
	},
	{
		path: "cmd/gearbolt/internal/admin",
		may:  []string{"protocol"},
		why:  "text commands are lines on a connection that somebody else has opened; only who is turned away hears a packet",
		not:  []ban{noLog, noTests},
	},
	{
		path: "cmd/gearbolt/internal/work",
		may:  []string{"clients", "golang.org/x/sys/..."},
		why:  "it runs processes for jobs, whoever asks for that",
		not:  []ban{noTests},
	},
	{
		path: "cmd/gearbolt/internal/bench",
		may:  []string{"clients", "protocol", "cmd/gearbolt/internal/admin", "cmd/gearbolt/internal/target", "golang.org/x/sys/..."},
		why:  "it measures servers from outside, ours like any other",
		not:  []ban{noTests},
	},
	{
		path: "cmd/gearbolt/internal/store",
		may:  []string{"persist/bolt"},
		why:  "it looks after the files of a store and of nothing else",
		not:  []ban{noLog, noTests},
	},
	{
		path: "cmd/gearbolt/internal/cli",
		may: []string{"clients", "conf", "protocol", "cmd/gearbolt/internal/...", "github.com/spf13/cobra", "github.com/spf13/pflag",
			"golang.org/x/sys/..."},
		why: "the tools talk to servers over the wire and know nothing of ours from inside; sizes are written as in the settings",
		not: []ban{noTests},
	},
	{
		path: "cmd/gearbolt/...",
		may: []string{"cmd/gearbolt/internal/...", "conf", "persist", "persist/bolt", "persist/memory", "protocol", "router", "router/server",
			"go.uber.org/zap/...", "golang.org/x/sys/..."},
		why: "it is the one place where everything meets, and the tests are no part of it",
		not: []ban{noTests},
	},
	{
		path: "integration/...",
		may:  []string{"...", "github.com/anishathalye/porcupine/...", "github.com/mikespook/gearman-go/...", "go.uber.org/zap/...", "go.etcd.io/bbolt/...", "github.com/hanwen/go-fuse/v2/...", "golang.org/x/sys/..."},
		why:  "it looks at the whole from outside",
	},
}

// covers reports whether a pattern of a room stands for path.
func covers(pattern, path string) bool {
	below, all := strings.CutSuffix(pattern, "/...")
	return pattern == path || all && (path == below || strings.HasPrefix(path, below+"/"))
}

func roomOf(path string) *room {
	for i := range rooms {
		if covers(rooms[i].path, path) {
			return &rooms[i]
		}
	}
	return nil
}

func (r *room) allows(p pkg) bool {
	path := short(p.ImportPath)
	return p.Standard || p.ours() && slices.Contains(r.may, "...") ||
		slices.ContainsFunc(append(r.may, r.path), func(may string) bool { return covers(may, path) })
}

func TestArrows(t *testing.T) {
	for _, wrong := range wrongArrows(list(t)) {
		t.Error(wrong)
	}
}

// wrongArrows says what is wrong with the imports of our packages, and with
// the table of rooms.
func wrongArrows(all map[string]pkg) (wrong []string) {
	entered := make(map[*room]bool)
	for _, p := range all {
		if !p.ours() {
			continue
		}
		path := short(p.ImportPath)
		r := roomOf(path)
		if r == nil {
			wrong = append(wrong, path+" is in no room: the table of rooms says what a package may import")
			continue
		}
		entered[r] = true
		for _, i := range p.Imports {
			if !r.allows(all[i]) {
				wrong = append(wrong, fmt.Sprintf("%s must not import %s, because %s", path, short(i), r.why))
			}
		}
		for _, b := range r.not {
			wrong = append(wrong, b.reached(all, p)...)
		}
	}
	for i := range rooms {
		if !entered[&rooms[i]] {
			wrong = append(wrong, "the room "+rooms[i].path+" is empty")
		}
	}
	return wrong
}

// reached says how p reaches a banned package, by itself or through packages
// of ours. What the standard library is made of is not asked.
func (b ban) reached(all map[string]pkg, p pkg) (wrong []string) {
	seen := map[string]bool{}
	var visit func(at pkg, way string)
	visit = func(at pkg, way string) {
		for _, i := range at.Imports {
			step := way + " → " + short(i)
			if slices.Contains(b.paths, i) {
				wrong = append(wrong, fmt.Sprintf("%s must not import %s, because %s (%s)", short(p.ImportPath), i, b.why, step))
			}
			if !seen[i] && all[i].ours() {
				seen[i] = true
				visit(all[i], step)
			}
		}
	}
	visit(p, short(p.ImportPath))
	return wrong
}

// The check is shown a house with arrows that run the wrong way.
func TestWrongArrowsAreSeen(t *testing.T) {
	all := map[string]pkg{"net": {ImportPath: "net", Standard: true}, "go.etcd.io/bbolt": {ImportPath: "go.etcd.io/bbolt"}}
	for path, imports := range map[string][]string{
		"protocol": {"net"},
		"persist":  {"gearbolt/conf"},
		"conf":     nil,
		"router":   {"gearbolt/protocol", "go.etcd.io/bbolt", "gearbolt/integration/harness"},
		"attic":    nil,
	} {
		all[module+"/"+path] = pkg{ImportPath: module + "/" + path, Imports: imports}
	}
	all[module+"/integration/harness"] = pkg{ImportPath: module + "/integration/harness", Imports: []string{"gearbolt/conf"}}
	got := strings.Join(wrongArrows(all), "\n") + "\n"
	for _, want := range []string{
		"protocol must not import net, because it knows bytes and no sockets or files (protocol → net)",
		"router must not import net, because it knows bytes and no sockets or files (router → protocol → net)",
		"persist must not import conf, because what a store promises depends on no store and on nobody who uses one",
		"router must not import go.etcd.io/bbolt, because the machine takes events and yields data, so that a seed replays a bug",
		"router must not import integration/harness, because the machine takes events and yields data, so that a seed replays a bug",
		"attic is in no room: the table of rooms says what a package may import",
		"the room cmd/gearbolt/... is empty",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("not seen: %s", want)
		}
	}
	if strings.Contains(got, "integration/harness must") {
		t.Errorf("an arrow that is right was taken for wrong:\n%s", got)
	}
}

// The machine is pure: time comes as a parameter, and nothing happens beside
// the caller.
func TestMachineIsPure(t *testing.T) {
	for _, s := range sources(t, list(t)[module+"/router"]) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if what := impurity(n); what != "" {
				t.Errorf("%s:%d: the machine must not have %s", s.name, s.line(n.Pos()), what)
			}
			return true
		})
	}
}

// impurity says what is wrong with n, or "".
func impurity(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
		return "a channel"
	case *ast.SelectorExpr:
		clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
			return fmt.Sprintf("a clock of its own (time.%s)", n.Sel.Name)
		}
	}
	return ""
}
