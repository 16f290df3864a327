package store

import (
	"encoding/binary"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol/reconcile"
)

// early is what the grave of a message holds that expired here although a lifetime since it was first received is not over, because its age
// was told to be more than nothing. Ages are not signed: who passes on a message with an age just below its lifetime must not kill it for
// all whom it meets first. So until that lifetime is over the grave lets the message go again to whoever tells a clearly smaller age, and
// [View.Refused] leaves it out after a while, so that reconciliation looks for who that may be. Then it is a grave like all others. What came
// back counts from its first receipt still, so that smaller ages prolong it no further than they would have in its first life.
type early struct {
	until time.Duration // running time at which it may no longer come back: first receipt + lifetime, in whole ms
	age   time.Duration // that which killed it, as it was at first receipt, in whole ms
}

// earlySize is the encoded early: until 6, age 4. It is the value of a place in the order of the dead.
const earlySize = 10

// earlyAfter is how long after the death an early grave is not looked into: the honest copies that others hold die together with this one,
// and may be offered until they have swept them, a bucket later. They would be asked for in vain in each round.
const earlyAfter = time.Duration(1<<bucketBits)*time.Millisecond + time.Minute

func (e early) append(b []byte) []byte {
	b = appendUint48(b, uint64(e.until.Milliseconds()))
	return binary.BigEndian.AppendUint32(b, uint32(e.age.Milliseconds()))
}

func parseEarly(v []byte) (e early, ok bool) {
	if len(v) != earlySize {
		return e, false
	}
	return early{
		until: time.Duration(uint48(v)) * time.Millisecond,
		age:   time.Duration(binary.BigEndian.Uint32(v[6:])) * time.Millisecond,
	}, true
}

// wants reports whether the message is looked for.
func (e early) wants(now time.Duration) bool { return now >= e.until-e.age+earlyAfter && now < e.until }

// step is how much smaller than another an age must be to make a difference: each one costs writing the message again, so whoever tells ever
// smaller ages makes this node do so 256 times at most, be the message alive or in an early grave.
func step(life time.Duration) time.Duration { return life / 256 }

// earlyOf is what the grave holds of a message that expires now; zero if it is an ordinary one. What was written here has been told no age.
func (r record) earlyOf(life, now time.Duration) early {
	until := r.since + life
	// More than a lifetime to come means a damaged state.
	if r.own || r.age <= step(life) || until <= now || until > now+life {
		return early{}
	}
	return early{until: until, age: r.age}
}

// reborn is the record of a message that leaves its early grave; ok is false if it stays there.
func (e early) reborn(it *Item, b *batch) (r record, ok bool) {
	life := it.Message.Life()
	since := min(e.until-life, b.now.Truncate(time.Millisecond))
	// It dies when its holder's copy does, and a lifetime after the first receipt at the latest.
	age := max(it.Age, 0) - (b.now - since)
	r = record{own: it.Own, received: b.wall, since: since, age: max(age, 0)}
	return r, b.now < e.until && r.age <= e.age-step(life)
}

// earlyAt is what the grave of one of the dead holds if it is an early one; zero for another, and for who is not dead.
func (b *batch) earlyAt(k reconcile.Key) (e early, err error) {
	var buf [messageKeySize]byte
	item, err := b.txn.Get(appendDeadKey(buf[:0], k))
	if err != nil {
		return e, broken(err)
	}
	err = item.Value(func(v []byte) error {
		e, _ = parseEarly(v)
		return nil
	})
	return e, broken(err)
}

// unearth takes a message that is dead out of the order of the dead. Its ID is the caller's to see to. Its place on the agenda
// stays: that is a time at which a later death of it may be forgotten too.
func (b *batch) unearth(k reconcile.Key) error {
	b.state.dead--
	return b.delete(appendDeadKey(b.alloc(messageKeySize), k))
}

// wanted reports whether the place of one of the dead is that of an early grave which is looked into.
func (v *View) wanted(item *badger.Item) bool {
	if item.ValueSize() != earlySize {
		return false
	}
	wants := false
	err := item.Value(func(b []byte) error {
		e, ok := parseEarly(b)
		wants = ok && e.wants(v.now)
		return nil
	})
	return err == nil && wants
}
