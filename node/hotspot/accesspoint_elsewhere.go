//go:build !linux || android

package hotspot

import "context"

// Run refuses: no program here makes a Wi-Fi for another. On a phone the system makes the group.
func (a AccessPoint) Run(context.Context) error {
	if err := a.check(); err != nil {
		return err
	}
	return &Trouble{What: "longear makes a Wi-Fi of its own on Linux only", Fix: "make it with the system's settings and leave --wifi-make out"}
}
