package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// An account is the user that the process becomes.
type account struct {
	uid, gid int
	groups   []int
}

// lookupAccount finds a user by name or number. It returns nil when there is
// nobody to become: no name, or the process's own.
func lookupAccount(name string) (*account, error) {
	if name == "" {
		return nil, nil
	}
	u, err := lookupUser(name)
	if err != nil {
		return nil, errors.New("is unknown; give the name of a user")
	}
	a := &account{}
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return nil, err
	}
	if a.gid, err = strconv.Atoi(u.Gid); err != nil {
		return nil, err
	}
	switch {
	case a.uid == os.Geteuid():
		return nil, nil
	case os.Geteuid() != 0:
		return nil, errors.New("is somebody else, and only root can become that; start as root or as this user")
	}
	ids, err := u.GroupIds()
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil {
			a.groups = append(a.groups, n)
		}
	}
	return a, err
}

// lookupUser finds a user by name or number.
func lookupUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return user.LookupId(name)
	}
	return u, nil
}

// homeOf is conf.Process.Home.
func homeOf(name string) string {
	u, err := lookupUser(name)
	if err != nil || u.Uid == strconv.Itoa(os.Geteuid()) {
		return ""
	}
	if info, err := os.Stat(u.HomeDir); err != nil || !info.IsDir() {
		return ""
	}
	return u.HomeDir
}

// owns reports whether path belongs to the account.
func (a *account) owns(path string) bool {
	var st syscall.Stat_t
	return syscall.Stat(path, &st) == nil && int(st.Uid) == a.uid
}

// become gives up what the process may do for what the account may, for good.
func (a *account) become() error {
	if err := syscall.Setgroups(a.groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(a.gid); err != nil {
		return fmt.Errorf("setgid: %w", err)
	}
	if err := syscall.Setuid(a.uid); err != nil {
		return fmt.Errorf("setuid: %w", err)
	}
	return nil
}
