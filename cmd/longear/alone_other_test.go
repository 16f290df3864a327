//go:build !linux

package main

import "testing"

// aloneOnNetwork is only possible on Linux.
func aloneOnNetwork(*testing.T) bool { return false }
