//go:build !linux

package hotspot

import "context"

// Serve refuses: other systems have ways of their own to give an interface an address and to bind a socket to it.
func Serve(context.Context, string, Config) error {
	return &Trouble{What: "a hub serves a Wi-Fi of its own on Linux only", Fix: "leave --wifi out and use the system's own hotspot"}
}
