package bolt

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// soon reports whether f takes no longer than that, once at least of three times:
// a machine may have something else to do.
func soon(limit time.Duration, f func()) bool {
	for range 3 {
		began := time.Now()
		if f(); time.Since(began) <= limit {
			return true
		}
	}
	return false
}

func TestSecondOpener(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	keep(t, s, put(benchJob(1)))
	var err error
	if !soon(time.Second, func() { _, err = Open(Options{Dir: dir}) }) {
		t.Error("the second was refused after more than a second")
	}
	want := fmt.Sprintf("store %s: in use by the process with pid %d", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("the second was told %v, want %q", err, want)
	}
	keep(t, s, put(benchJob(2)))
}

// TestStrangersLock locks the file itself, as a tool that knows nothing of the
// directory's lock would.
func TestStrangersLock(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir}).Close()
	db, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if !soon(2*lockTimeout, func() { _, err = Open(Options{Dir: dir}) }) {
		t.Errorf("refused after more than %v", 2*lockTimeout)
	}
	if err == nil || !strings.Contains(err.Error(), "another process") {
		t.Error(err)
	}
}

func TestDirIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "some", "where")
	open(t, Options{Dir: dir})
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v: %v", info, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("Open(%s): %v", dir, err)
		}
	}
}

// TestNewNamesAreSynced makes directories for another user: for each that is
// made the one above it is synced, and nothing for those that are there.
func TestNewNamesAreSynced(t *testing.T) {
	var synced []string
	real := syncDir
	t.Cleanup(func() { syncDir = real })
	syncDir = func(dir string) error {
		synced = append(synced, dir)
		return real(dir)
	}
	base := t.TempDir()
	dir := filepath.Join(base, "some", "where")
	uid, gid := -1, -1
	if os.Geteuid() == 0 {
		uid, gid = 4242, 4243
	}
	for range 2 {
		if err := MakeDir(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{base, filepath.Dir(dir), dir}; !slices.Equal(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil || st.Mode&0o777 != 0o700 || uid >= 0 && (st.Uid != 4242 || st.Gid != 4243) {
		t.Errorf("got mode %o of %d:%d, %v", st.Mode, st.Uid, st.Gid, err)
	}
	if err := unix.Stat(filepath.Dir(dir), &st); err != nil || st.Mode&0o777 != 0o755 || int(st.Uid) != os.Geteuid() {
		t.Errorf("above it: got mode %o of %d, %v", st.Mode, st.Uid, err)
	}

	synced = nil
	open(t, Options{Dir: dir})
	if want := []string{dir, filepath.Dir(dir)}; !slices.Equal(synced, want) {
		t.Errorf("with the file, synced %q, want %q", synced, want)
	}
}

// TestUnfinishedCreation opens a directory where a first start was cut short.
func TestUnfinishedCreation(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName+".new"), []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Dir: dir})
	keep(t, s, put(benchJob(1)))
	if names, err := filepath.Glob(filepath.Join(dir, "*.new")); len(names) != 0 || err != nil {
		t.Errorf("left are %v: %v", names, err)
	}
}

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []Options{
		{},
		{Dir: dir, MaxSize: 1 << 20},
		{Dir: dir, MaxSize: -1},
		{Dir: dir, MinFree: -1},
		{Dir: dir, MaxRecord: -1},
		{Dir: dir, MaxRecord: maxRecord + 1},
	} {
		if s, err := Open(o); err == nil {
			s.Close()
			t.Errorf("Open(%+v) succeeded", o)
		}
	}
}

// TestCompareDirect changes the file behind the back of what was read before,
// as a failed write would have the kernel's cache differ from the disk.
func TestCompareDirect(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	s.Close()
	file, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.compareDirect(strings.NewReader(string(file)), 8192); err != nil {
		t.Errorf("with the same bytes: %v", err)
	}
	file[pageHeader] ^= 1
	err = s.compareDirect(strings.NewReader(string(file)), 8192)
	if err == nil && !readsDirect(t, s.path) {
		t.Skip("this file system has no O_DIRECT")
	}
	if err == nil || !strings.Contains(err.Error(), "on the disk") {
		t.Errorf("with other bytes: %v", err)
	}
}

// TestMapping checks that the address space set aside for the file costs no
// memory.
func TestMapping(t *testing.T) {
	before := resident(t, "VmRSS", "VmPTE")
	open(t, Options{Dir: t.TempDir()})
	if grown := resident(t, "VmRSS", "VmPTE") - before; grown > 32<<10 {
		t.Errorf("opening a store took %d KiB of memory", grown)
	}
}

// TestLoadedFileIsLetGo checks that a file that was loaded is not in the
// process's memory afterwards.
func TestLoadedFileIsLetGo(t *testing.T) {
	const jobs, size = 1000, largePayload
	s := open(t, Options{Dir: t.TempDir(), UnsafeNoFsync: true})
	for n := range uint64(jobs) {
		s.Commit([]persist.Change{put(largeJob(n, size))}, func(error) {})
	}
	s.Close()
	s = opened(t, Options{Dir: s.options.Dir})
	before, most := resident(t, "RssFile"), 0
	if err := s.Load(func(persist.Change) error { most = max(most, resident(t, "RssFile")); return nil }); err != nil {
		t.Fatal(err)
	}
	if most-before < jobs*size>>11 {
		t.Fatalf("loading %d KiB, the process has read %d KiB", jobs*size>>10, most-before)
	}
	if grown := resident(t, "RssFile") - before; grown > jobs*size>>13 {
		t.Errorf("of %d KiB that were loaded, %d are still there", jobs*size>>10, grown)
	}
}

// resident returns how much memory the process has under such names, in KiB.
func resident(t *testing.T, names ...string) (sum int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		var n int
		if name, value, _ := strings.Cut(line, ":"); slices.Contains(names, name) {
			fmt.Sscan(value, &n)
			sum += n
		}
	}
	return sum
}

func readsDirect(t *testing.T, path string) bool {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = readFull(f, directAlign)
	return err == nil
}
