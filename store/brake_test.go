package store

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"
)

// listener counts the tables that Badger's merges tell of.
type listener struct {
	brake
	tables atomic.Int64
}

func (l *listener) Debugf(format string, v ...any) {
	if strings.HasPrefix(format, tableFilled) {
		l.tables.Add(1)
	}
	l.brake.Debugf(format, v...)
}

// TestBrakeHearsTables: a merge of this Badger says the words that the brake waits for, once a table.
func TestBrakeHearsTables(t *testing.T) {
	const quota = 16 << 20 // memtables of 256 KiB
	l := &listener{}
	db, err := badger.Open(Phone.options(t.TempDir(), Phone.limits(quota), nil).WithLogger(l))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w := db.NewWriteBatch()
	defer w.Cancel()
	for n := range uint32(4096) {
		if err := w.Set(binary.BigEndian.AppendUint32(nil, n), make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := db.Flatten(1); err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, level := range db.Levels()[1:] {
		made += level.NumTables
	}
	if got := int(l.tables.Load()); got != made || made == 0 {
		t.Errorf("a merge made %d tables and told of %d", made, got)
	}
}
