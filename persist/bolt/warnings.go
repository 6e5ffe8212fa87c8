package bolt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystemWarnings returns what is known to be wrong with keeping a store on
// the file system of dir.
func fileSystemWarnings(dir string) []string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return nil // Open will find out
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return []string{fmt.Sprintf("store %s: a network file system: its locks and syncs may keep less "+
			"than they promise; use a local disk", dir)}
	case unix.EXT4_SUPER_MAGIC:
		return ext4Warnings(dir, ext4Options(dir), kernelRelease())
	}
	return nil
}

// ext4Options returns the mount options of dir's file system, one a line.
func ext4Options(dir string) string {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return ""
	}
	number := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	device, err := os.Readlink(filepath.Join("/sys/dev/block", number))
	if err != nil {
		return ""
	}
	options, err := os.ReadFile(filepath.Join("/proc/fs/ext4", filepath.Base(device), "options"))
	if err != nil {
		return ""
	}
	return string(options)
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func ext4Warnings(dir, options, kernel string) []string {
	var w []string
	for _, option := range strings.Fields(options) {
		switch {
		case option == "nobarrier" || option == "barrier=0":
			w = append(w, fmt.Sprintf("store %s: its file system is mounted with nobarrier: "+
				"a power cut may undo what was synced", dir))
		case option == "fast_commit" && fastCommitLoses(kernel):
			w = append(w, fmt.Sprintf("store %s: ext4 with fast_commit on Linux %s, which may lose synced data "+
				"at a power cut: it is mended in Linux 5.10.94, 5.15.27 and 5.17", dir, kernel))
		}
	}
	return w
}

// fastCommitLoses reports whether a kernel has the flaw in ext4's fast_commit
// that bbolt's README warns of.
func fastCommitLoses(release string) bool {
	var major, minor, patch int
	n, _ := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch)
	switch {
	case n < 2 || major != 5 || minor < 10 || minor > 16:
		return false
	case minor == 10:
		return patch < 94
	case minor == 15:
		return patch < 27
	}
	return true
}
