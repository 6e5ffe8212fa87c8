package bolt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// create makes an empty store at path. Until it is whole and on stable storage
// it has another name, so that no crash leaves half a store behind: such a file
// bbolt would take for a new database, and all jobs for gone.
//
// What a crash left under the other name is overwritten: nothing was ever
// stored in it.
func create(path string) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(temp, 0o600, &bbolt.Options{Timeout: lockTimeout, NoFreelistSync: true})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(fillNew), db.Sync(), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncNames(filepath.Dir(path))
}

// syncNames puts the name of the new file in dir on stable storage, and the name
// of dir, which somebody may have made a moment ago without doing so. Not
// everybody may open what is above dir.
func syncNames(dir string) error {
	if err := syncDir(dir); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// fillNew puts into a new file what every store has.
func fillNew(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucket(bucketMeta)
	if err != nil {
		return err
	}
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return errors.Join(
		meta.Put(keyApplication, []byte(application)),
		putNumber(meta, keyFormat, formatVersion),
		putNumber(meta, keyEpoch, 0),
		ledger{}.put(meta),
	)
}

// MakeDir makes dir, with mode 0700, for the user uid and the group gid, -1
// being the process's own, and what is missing above it, with mode 0755, for the
// process. The names of the new directories are on stable storage when it
// returns. A dir that is there is left as it is.
//
// [Open] does the same for the process's own user; MakeDir is for who has the
// right to make the directory and gives it up before Open.
func MakeDir(dir string, uid, gid int) error {
	made, err := makeOne(dir, 0o700)
	if err != nil || !made {
		return err
	}
	return errors.Join(os.Lchown(dir, uid, gid), syncDir(dir))
}

// makeOne makes dir if it is missing, and what is missing above it, and reports
// whether it did.
func makeOne(dir string, mode fs.FileMode) (made bool, err error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return false, &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("it exists and is not a directory")}
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	above := filepath.Dir(dir)
	if _, err := makeOne(above, 0o755); err != nil {
		return false, err
	}
	if err := os.Mkdir(dir, mode); errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, syncDir(above)
}

// syncDir puts the names in dir on stable storage. Tests listen in.
var syncDir = func(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
