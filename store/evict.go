package store

import (
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// makeRoom evicts until cost more bytes fit under the quota, if what must go is worth less than the newcomer: of a later rank (media
// before text before alerts), or of the same rank and dying no later. Creation times do not count: they are claims, and whoever dates
// ahead must gain nothing. It reports whether there is room now.
func (b *batch) makeRoom(k reconcile.Key, dies time.Duration, cost int64) (bool, error) {
	if err := b.trimTombs(); err != nil {
		return false, err
	}
	if err := b.flush(); err != nil { // the agenda must show this batch's messages too
		return false, err
	}
	room := b.s.limits.room
	if b.used()+cost <= room {
		return true, nil
	}
	// More than is needed, so that a full store does not do this for every message.
	target := room - max(cost, room/64)
	for class := maxEvicts - 1; class >= int(k.Rank()) && b.used() > target; class-- {
		last := uint32(1<<32 - 1)
		if class == int(k.Rank()) {
			last = bucketOf(dies)
		}
		if err := b.evictClass(uint8(class), last, func() bool { return b.used() <= target }); err != nil {
			return false, err
		}
	}
	return b.used()+cost <= room, b.flush()
}

// past reports whether a message would have been let go of by now, had it been here. It may have been, and be forgotten (trimTombs): where
// that made room, a peer that has it would give it again, for it to make room once more, and so on without end.
func (b *batch) past(class uint8, dies time.Duration, cost int64) bool {
	full := b.used()+cost > nearly(b.s.limits.room) || class == rankMedia && b.state.media+cost > nearly(b.s.mediaRoom())
	if !full {
		b.s.brink[class] = 0
	}
	return full && dies < b.s.brink[class]
}

// nearly is how much of a room is taken, at least, by a newcomer and all others while messages are let go of.
func nearly(room int64) int64 { return room - room/16 }

// used is what counts against the quota.
func (b *batch) used() int64 { return b.state.bytes + b.state.dead*tombCost }

// evictClass evicts the messages of one class, those that die first first, until it is enough or the next would die after bucket last.
func (b *batch) evictClass(class uint8, last uint32, enough func() bool) error {
	txn := b.s.db.NewTransaction(false)
	defer txn.Discard()
	for a := range slots(txn, slot{kind: prefixExpiry, class: class}) {
		if a.bucket > last || enough() {
			return nil
		}
		list, err := listAt(txn, a)
		if err != nil {
			return err
		}
		if err := b.evictList(a, list, enough); err != nil {
			return err
		}
	}
	return nil
}

// evictList evicts the messages of one agenda entry and writes back those that may stay.
func (b *batch) evictList(a slot, list []byte, enough func() bool) error {
	rest := list
	err := eachKey(list, func(k reconcile.Key) error {
		if enough() {
			return nil
		}
		rest = rest[reconcile.KeySize:]
		at, dead, found, err := b.lookup(protocol.ID(k.ID()))
		if err != nil || !found || dead || at != k {
			return err
		}
		return b.bury(k, Evicted)
	})
	if err != nil {
		return err
	}
	return b.relist(a, rest)
}

// trimTombs forgets the oldest of the dead before their time when they take more than their share.
func (b *batch) trimTombs() error {
	share := b.s.limits.room / tombShare / tombCost
	if b.state.dead <= share {
		return nil
	}
	if err := b.flush(); err != nil { // the agenda must show this batch's dead too
		return err
	}
	target := share - share/16
	for class := range uint8(2) {
		txn := b.s.db.NewTransaction(false)
		defer txn.Discard()
		for a := range slots(txn, slot{kind: prefixForget, class: class}) {
			if b.state.dead <= target {
				return b.flush()
			}
			if err := b.work(a); err != nil {
				return err
			}
		}
	}
	return b.flush()
}
