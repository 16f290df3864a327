package store_test

import (
	"errors"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// TestLostRoot: a store that has lost the root of its trie is not taken for one so small that it has none.
func TestLostRoot(t *testing.T) {
	const many = 100
	conf := store.Config{Dir: t.TempDir()}
	s := open(t, conf)
	tmpl := template(t, protocol.Text, 300)
	var items []store.Item
	for i := range uint64(many) {
		items = append(items, store.Item{Message: forge(t, tmpl, start+i*gap, i)})
	}
	put(t, s, items...)
	shut(t, s)
	db := openData(t, conf.Dir)
	err := db.Update(func(txn *badger.Txn) error {
		return txn.Delete(reconcile.AppendPrefix([]byte{'n'}, reconcile.Prefix{}))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, conf)
	for range 2 { // the second view is told what the first has read
		n := 0
		err := s.View(func(v *store.View) error {
			if _, inner, err := v.Node(reconcile.Prefix{}); inner || err != nil {
				t.Errorf("the root is there (%v)", err)
			}
			for _, err := range v.Keys(reconcile.Prefix{}) {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if n != many || err != nil {
			t.Errorf("%d keys, want %d (%v)", n, many, err)
		}
	}
	shut(t, s)
}
