//go:build !linux

package supplicant

import (
	"errors"
	"net/netip"
)

// setAddr is for Linux only; so is wpa_supplicant as this package uses it.
func setAddr(string, netip.Prefix) error { return errors.ErrUnsupported }
