package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
	"golang.org/x/sync/errgroup"
)

// checkTables reads every table that the manifest names, as Badger does when it opens with verification on. Badger does it in goroutines
// of its own, and some damage makes it panic there, which would end the process at every start; here a panic is an
// error. It costs what it costs Badger, which is then told to leave it out.
func checkTables(data string, m badger.Manifest, opts badger.Options) error {
	keys, err := badger.OpenKeyRegistry(badger.KeyRegistryOptions{Dir: data, ReadOnly: true})
	if err != nil {
		return nil // it has a key of its own: the open reports it
	}
	if err := keys.Close(); err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for n, t := range m.Tables {
		g.Go(func() error {
			return checkTable(table.NewFilename(n, data), table.Options{
				ReadOnly: true, ChkMode: options.OnTableRead, Compression: t.Compression,
				BlockSize: opts.BlockSize, BloomFalsePositive: opts.BloomFalsePositive,
			})
		})
	}
	return g.Wait()
}

func checkTable(name string, opts table.Options) (err error) {
	file, err := z.OpenMmapFile(name, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("table %s: %w", filepath.Base(name), err)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("table %s: %w: %v", filepath.Base(name), errRot, r)
			_ = unmap(file)
		}
	}()
	if _, err := table.OpenTable(file, opts); err != nil {
		// Badger has unmapped the file. A second time could unmap what has taken its place.
		return fmt.Errorf("table %s: %w", filepath.Base(name), err)
	}
	return unmap(file)
}

// unmap closes a file that was mapped for reading. MmapFile's own Close would sync it first, which such a mapping may refuse.
func unmap(file *z.MmapFile) error {
	return errors.Join(z.Munmap(file.Data), file.Fd.Close())
}
