//go:build !linux

package supplicant

import "errors"

// abilities are known on Linux only.
func abilities(string) (Abilities, error) { return Abilities{}, errors.ErrUnsupported }
