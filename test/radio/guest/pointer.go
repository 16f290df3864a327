//go:build linux

package main

import "unsafe"

// ptr is what a system call wants.
func ptr(p *byte) unsafe.Pointer { return unsafe.Pointer(p) }
