//go:build unix

package main

import "golang.org/x/sys/unix"

// freeSpace is what this user may still write to the disk of a folder, in bytes.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(uint64(st.Bavail) * uint64(st.Bsize)), nil
}
