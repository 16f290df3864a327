package store

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBack asks the system to take the pages of a folder's tables out of this process's memory. Badger writes and reads tables through
// memory maps, so whatever it has ever touched stays resident and counts as the program's until the system is short of memory; a
// phone ends the largest programs first. What is read again comes from disk.
//
// The addresses are the system's own, and a table may be unmapped, and something else mapped there, before they are used: the advice
// is one that loses nothing wherever it goes. A kernel before 5.4 does not know it.
func giveBack(dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		at := strings.IndexByte(line, '/')
		if at < 0 || filepath.Dir(line[at:]) != dir || filepath.Ext(line) != ".sst" {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(line, "%x-%x ", &from, &to); err != nil {
			return errors.Join(fmt.Errorf("read %s: %w", f.Name(), err), f.Close())
		}
		if _, _, e := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_PAGEOUT); e != 0 && e != unix.ENOMEM {
			return errors.Join(fmt.Errorf("madvise: %w", e), f.Close()) // ENOMEM: unmapped meanwhile
		}
	}
	return errors.Join(lines.Err(), f.Close())
}
