package store

import (
	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
)

// ClassCount is how much of one class is kept.
type ClassCount struct {
	Class    protocol.Class
	Messages int64
	Bytes    int64 // as they count against the quota
}

// Classes counts what is kept by class: alerts, text, media, in this order. It visits every key, without the messages
// behind them, so its cost grows with the store; who asks often remembers the answer.
func (s *Store) Classes() ([]ClassCount, error) {
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	out := []ClassCount{{Class: protocol.Alert}, {Class: protocol.Text}, {Class: protocol.Media}}
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixMessage}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		k, ok := parseOrdered(it.Item().Key(), prefixMessage)
		if !ok || int(k.Rank()) >= len(out) {
			continue
		}
		c := &out[k.Rank()]
		c.Messages++
		c.Bytes += max(it.Item().ValueSize()-recordSize, 0) + overhead
	}
	return out, nil
}
