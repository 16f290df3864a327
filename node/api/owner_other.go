//go:build !unix

package api

import "os"

// isOurs cannot be told here; folders for temporary files are private on such systems.
func isOurs(os.FileInfo) bool { return true }
