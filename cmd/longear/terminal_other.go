//go:build !linux

package main

import (
	"errors"
	"os"
)

// isTerminal reports whether a person is at the other end.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// withoutEcho refuses: a secret must not be typed where it is shown.
func withoutEcho(*os.File, func() error) error {
	return errors.New("secrets cannot be typed on this system: use --passphrase-file")
}
