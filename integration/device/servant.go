package device

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// servantEnv names the directory in which a servant, a process that runs the
// test binary, is to serve its disk.
const servantEnv = "TEST_GEARBOLT_DISK"

// diskName is the name of the only file in that directory.
const diskName = "disk"

// The files that a servant inherits.
const (
	imageFD = 3 + iota
	logFD
	sharedFD
	readyFD // is closed when the disk is there
)

// serveAndExit is the life of a servant. It ends with the mount, or with its
// parent.
func serveAndExit() {
	if err := serve(os.Getenv(servantEnv)); err != nil {
		fmt.Fprintln(os.Stderr, "disk:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(dir string) error {
	sh, err := mapShared(os.NewFile(sharedFD, "shared"))
	if err != nil {
		return err
	}
	d := &disk{image: os.NewFile(imageFD, "image"), log: os.NewFile(logFD, "log"), shared: sh}
	info, err := d.image.Stat()
	if err != nil {
		return err
	}
	d.size = uint64(info.Size())
	server, err := fs.Mount(dir, &root{disk: d}, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, // no helper program
		MaxWrite:          1 << 20,
		FsName:            "gearbolt-device",
		Name:              "gearbolt",
	}})
	if err != nil {
		return err
	}
	os.NewFile(readyFD, "ready").Close()
	server.Wait()
	return nil
}

// root is the directory.
type root struct {
	fs.Inode
	disk *disk
}

// OnAdd implements fs.NodeOnAdder.
func (r *root) OnAdd(ctx context.Context) {
	r.AddChild(diskName, r.NewPersistentInode(ctx, r.disk, fs.StableAttr{Mode: fuse.S_IFREG}), true)
}

// A disk is the file.
type disk struct {
	fs.Inode
	image  *os.File
	log    *os.File
	size   uint64
	shared *shared

	mu sync.Mutex // the log is in the order of what was done
}

// Getattr implements fs.NodeGetattrer.
func (d *disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size, out.Nlink = fuse.S_IFREG|0o600, d.size, 1
	return 0
}

// Open implements fs.NodeOpener. The kernel keeps no pages of the file: the
// disk's cache is the log.
func (d *disk) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

// Read implements fs.NodeReader.
func (d *disk) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n, err := d.image.ReadAt(dest, off)
	if err != nil && err != io.EOF {
		return nil, syscall.EIO
	}
	return fuse.ReadResultData(dest[:n]), 0
}

// Write implements fs.NodeWriter. A write that fails has changed nothing.
func (d *disk) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fails := d.shared.fails(FailWrite)
	if hasMeta(data) && d.shared.fails(FailMeta) {
		fails = true
	}
	if fails {
		return 0, syscall.EIO
	}
	if _, err := d.image.WriteAt(data, off); err != nil {
		return 0, syscall.EIO
	}
	return uint32(len(data)), d.append(entryWrite, off, data)
}

// Fsync implements fs.NodeFsyncer: it is a flush. What was written when it
// began is on the medium when it ends. One that fails has changed nothing.
func (d *disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	covers := d.shared.entries.Load()
	time.Sleep(time.Duration(d.shared.delay.Load()))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shared.fails(FailFlush) {
		return syscall.EIO
	}
	return d.append(entryFlush, covers, nil)
}

// append adds to the log. It is there before the kernel hears of it.
func (d *disk) append(kind entryKind, at int64, data []byte) syscall.Errno {
	b := make([]byte, 0, entryHeader+len(data))
	b = binary.LittleEndian.AppendUint32(b, uint32(kind))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint64(b, uint64(at))
	b = binary.LittleEndian.AppendUint64(b, uint64(monotonic()))
	b = append(b, data...)
	if _, err := d.log.WriteAt(b, d.shared.bytes.Load()); err != nil {
		return syscall.EIO
	}
	d.shared.bytes.Add(int64(len(b)))
	d.shared.entries.Add(1)
	return 0
}

// hasMeta reports whether a meta page of bbolt is in data: a block in which,
// after the header of a page, its magic number stands.
func hasMeta(data []byte) bool {
	const block, flags, magicAt, metaFlag, magic = 4096, 8, 16, 4, 0xED0CDAED
	for ; len(data) >= block; data = data[block:] {
		if binary.LittleEndian.Uint16(data[flags:]) == metaFlag && binary.LittleEndian.Uint32(data[magicAt:]) == magic {
			return true
		}
	}
	return false
}
