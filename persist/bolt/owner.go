package bolt

import (
	"io/fs"
	"os"
	"syscall"
)

// own gives a new file or directory the owner of the original, where the
// process may do that: what root makes for the server, the server must be able
// to use.
func own(f *os.File, original fs.FileInfo, mode fs.FileMode) error {
	if err := f.Chmod(mode); err != nil {
		return err
	}
	st, ok := original.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}
