package store_test

import "io/fs"

// blocks is what a file takes on disk, or more.
func blocks(i fs.FileInfo) int64 { return i.Size() }
