package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// maxPrivate bounds what is read of a private file.
const maxPrivate = 1 << 20

// ErrExposed is returned for a private file that other people on the machine may read.
var ErrExposed = errors.New("other people on this machine can read it")

// ErrDamaged is returned for a private file that is not what was written.
var ErrDamaged = errors.New("it is damaged")

// readPrivate reads a file that only its owner may read; os.ErrNotExist if there is none.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := readOwned(f)
	return b, errors.Join(err, f.Close())
}

func readOwned(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPrivate {
		return nil, fmt.Errorf("%s: %w: restore it from a backup", f.Name(), ErrDamaged)
	}
	// Windows has no such bits; there the folder of the user is what protects.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w: run `chmod 600 %s`, and make a new key if anybody might have", f.Name(), ErrExposed, f.Name())
	}
	return io.ReadAll(io.LimitReader(f, maxPrivate))
}

// writePrivate replaces a file, whole or not at all, even if the power goes.
func writePrivate(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}
