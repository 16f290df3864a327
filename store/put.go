package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Item is a message to keep.
type Item struct {
	Message *protocol.Message
	// Age is how long the message has been travelling.
	Age time.Duration
	// Own says that it was written on this node: it is on disk for good before Put returns, is never evicted, and has
	// a Life.
	Own bool
}

// request is a call of Put that waits for a writer, perhaps another caller's.
type request struct {
	items    []Item
	verdicts []protocol.Verdict
	err      error
	done     chan struct{} // closed when verdicts or err stand
}

// Put keeps the messages that are new here and returns a verdict for each: Accept, IgnoreKnown, IgnoreDead, IgnoreExpired (its age has
// reached its lifetime) or IgnoreFull. A known message with a clearly smaller age lives longer, and one that such an age would have kept alive
// until now is taken again. Callers that wait are committed together. With an error nothing of the call is acknowledged, and every verdict is IgnoreStore.
func (s *Store) Put(ctx context.Context, items []Item) ([]protocol.Verdict, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	r := &request{items: items, verdicts: make([]protocol.Verdict, len(items)), done: make(chan struct{})}
	s.mu.Lock()
	s.queue = append(s.queue, r) // as long as there are callers, and the caller bounds those
	s.mu.Unlock()
	if err := s.await(ctx, r); err != nil {
		for i := range r.verdicts {
			r.verdicts[i] = protocol.IgnoreStore
		}
		return r.verdicts, fmt.Errorf("put %d messages: %w", len(items), err)
	}
	return r.verdicts, nil
}

// await returns when r is done, by doing it, and all that wait with it, if nobody else does.
func (s *Store) await(ctx context.Context, r *request) error {
	select {
	case <-r.done:
		return r.err
	case s.token <- struct{}{}:
		s.putQueued()
		<-s.token
	case <-ctx.Done():
		if s.unqueue(r) {
			return ctx.Err()
		}
	}
	<-r.done // a writer has it in hand
	return r.err
}

// unqueue takes back a request that no writer has taken.
func (s *Store) unqueue(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.queue, r)
	if i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	return i >= 0
}

// putQueued does all requests that wait. The caller holds the token.
func (s *Store) putQueued() {
	s.mu.Lock()
	group := s.queue
	s.queue = nil
	s.mu.Unlock()
	if len(group) == 0 {
		return
	}
	s.repair()
	err := s.putGroup(group)
	for _, r := range group {
		if r.err == nil {
			r.err = err
		}
		close(r.done)
	}
	if err == nil && len(s.pending) > s.limits.pending {
		err = s.fold()
	}
	if err != nil {
		s.log.Warn("put failed", "err", err)
	}
}

// putGroup commits requests in as few batches as they fit into. An error is for all of them: parts that were committed
// before it are known when they come again.
func (s *Store) putGroup(group []*request) error {
	if err := s.writable(); err != nil {
		return s.refuse(group, err)
	}
	b := s.begin()
	for _, r := range group {
		for i := range r.items {
			v, err := b.put(&r.items[i])
			if err != nil {
				b.txn.Discard()
				s.fail(err)
				return err
			}
			r.verdicts[i] = v
		}
	}
	sync := b.sync
	if err := b.finish(); err != nil {
		return err
	}
	if !sync {
		return nil
	}
	if err := s.db.Sync(); err != nil {
		s.fail(err)
		return err
	}
	return nil
}

// room is the space in a batch that one message may need: two keys, an own one's Life, a mark, a place on an agenda and in a sheaf, a
// response's key in the index of answers, and its place among the dead that it leaves.
func room(m *protocol.Message) (entries, size int) {
	return 9, len(m.Wire()) + recordSize + 2*messageKeySize + idKeySize + liveSize + idKeySize + lifeSize + 16 +
		agendaKeySize + reconcile.KeySize + sheafKeySize + (maxSheaf+1)*reconcile.KeySize + answerKeySize + answerValueSize
}

// put adds one message to the batch, which it may have to commit first.
func (b *batch) put(it *Item) (protocol.Verdict, error) {
	m := it.Message
	age := max(it.Age, 0)
	if age >= m.Life() {
		return protocol.IgnoreExpired, nil
	}
	if n, size := room(m); !b.fits(n, size) {
		if err := b.flush(); err != nil {
			return 0, err
		}
	}
	k, dead, found, err := b.lookup(m.ID)
	switch {
	case err != nil:
		return 0, err
	case found && !dead && k == keyOf(m):
		return protocol.IgnoreKnown, b.younger(m, age)
	}
	k = keyOf(m)
	r := record{own: it.Own, received: b.wall, since: b.now.Truncate(time.Millisecond), age: age}
	if dead {
		e, err := b.earlyAt(k)
		if err != nil {
			return 0, err
		}
		back, ok := e.reborn(it, b)
		if !ok {
			return protocol.IgnoreDead, nil
		}
		r = back
	}
	ok, err := b.roomFor(k, r, m)
	if err != nil {
		return 0, err
	}
	if !ok {
		b.s.countFull(1)
		return protocol.IgnoreFull, nil
	}
	if dead {
		if err := b.comeBack(k); err != nil {
			return 0, err
		}
	}
	return protocol.Accept, b.insert(m, k, r)
}

// comeBack lets a message out of its early grave, unless that was forgotten when room was made for it.
func (b *batch) comeBack(k reconcile.Key) error {
	b.back++
	_, dead, _, err := b.lookup(protocol.ID(k.ID()))
	if err != nil || !dead {
		return err
	}
	return b.unearth(k)
}

// roomFor reports whether there is room for a message, if need be after letting go of what is worth less. An own text always has room.
func (b *batch) roomFor(k reconcile.Key, r record, m *protocol.Message) (bool, error) {
	cost, dies := costOf(m), r.expires(m.Life())
	if !r.own && b.past(classOf(r, k), dies, cost) {
		return false, nil
	}
	if k.Rank() >= rankMedia {
		if ok, err := b.makeMediaRoom(r.own, dies, cost); err != nil || !ok {
			return ok, err
		}
	}
	if b.used()+cost <= b.s.limits.room {
		return true, nil
	}
	if r.own {
		dies = math.MaxInt64 // whatever others sent goes first
	}
	ok, err := b.makeRoom(k, dies, cost)
	return ok || r.own, err
}

// insert writes a new message: its record, its ID, its place in its channel and among the answers.
func (b *batch) insert(m *protocol.Message, k reconcile.Key, r record) error {
	wire := m.Wire()
	value := append(r.append(b.alloc(recordSize+len(wire))), wire...)
	if err := b.set(appendMessageKey(b.alloc(messageKeySize), k), value); err != nil {
		return err
	}
	b.s.filter.add(m.ID)
	key := appendIDKey(b.alloc(idKeySize), m.ID)
	if err := b.set(key, appendLive(b.alloc(liveSize), k)); err != nil {
		return err
	}
	if err := b.tie(m.Channel, k, value); err != nil {
		return err
	}
	if err := b.putAnswer(m, r); err != nil {
		return err
	}
	b.schedule(prefixExpiry, classOf(r, k), r.expires(m.Life()), k)
	b.state.messages++
	b.weigh(k, costOf(m), 1)
	if err := b.changed(k, false); err != nil || !r.own {
		return err
	}
	b.sync = true
	b.own = append(b.own, m.ID)
	life := Life{Written: time.UnixMilli(int64(b.wall))}
	return b.set(appendOwnKey(b.alloc(idKeySize), m.ID), life.append(b.alloc(lifeSize)))
}

// younger lowers the age of a known message, if that makes a difference: see step.
func (b *batch) younger(m *protocol.Message, age time.Duration) error {
	k := keyOf(m)
	var buf [messageKeySize]byte
	item, err := b.txn.Get(appendMessageKey(buf[:0], k))
	if err != nil {
		return b.s.suspect(k, err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return b.s.suspect(k, err)
	}
	r, wire, ok := parseRecord(value)
	if !ok {
		return b.s.suspect(k, errRot)
	}
	if age > r.age-step(m.Life()) {
		return nil
	}
	if r.newest == untied { // it came with this batch, which will finish the record
		if err := b.flush(); err != nil {
			return err
		}
		return b.younger(m, age)
	}
	r.age = age
	// The agenda keeps the old place: when that is due, the sweep finds the new one.
	value = append(r.append(b.alloc(len(value))), wire...)
	if err := b.set(appendMessageKey(b.alloc(messageKeySize), k), value); err != nil {
		return err
	}
	return b.putAnswer(m, r)
}

// refuse answers requests when nothing can be written. Only want of space is a verdict; it is no failure.
func (s *Store) refuse(group []*request, err error) error {
	if !isNoSpace(err) {
		return err
	}
	for _, r := range group {
		for i := range r.verdicts {
			r.verdicts[i] = protocol.IgnoreFull
		}
		s.countFull(len(r.items))
	}
	return nil
}

func (s *Store) countFull(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full += uint64(n)
}
