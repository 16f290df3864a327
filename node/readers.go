package node

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Query says which messages a reader wants.
type Query struct {
	// Channel is the one to read; the zero value is all of them.
	Channel protocol.Channel
	// History is how many stored messages come first, the newest of them, oldest first; -1 is all.
	History int
	// Live goes on with messages as they arrive, until ctx ends.
	Live bool
}

// backlog is how many messages a slow reader may be behind before it has to read the store again.
const backlog = 256

// readers are those who wait for messages.
type readers struct {
	mu   sync.Mutex
	open map[*reader]struct{} // guarded by mu
}

type reader struct {
	channel protocol.Channel
	next    chan *protocol.Message // of size backlog; when it is full, lost is set instead
	lost    chan struct{}          // of size 1
}

func (r *reader) wants(m *protocol.Message) bool {
	return r.channel == protocol.Channel{} || r.channel == m.Channel
}

// tell offers a stored message to every reader without waiting for any.
func (rs *readers) tell(m *protocol.Message) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var own *protocol.Message
	for r := range rs.open {
		if !r.wants(m) {
			continue
		}
		if own == nil {
			own = m.Clone() // m may alias a buffer that ends with its batch
		}
		select {
		case r.next <- own:
		default:
			select {
			case r.lost <- struct{}{}:
			default:
			}
		}
	}
}

func (rs *readers) add(c protocol.Channel) *reader {
	r := &reader{channel: c, next: make(chan *protocol.Message, backlog), lost: make(chan struct{}, 1)}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.open == nil {
		rs.open = make(map[*reader]struct{})
	}
	rs.open[r] = struct{}{}
	return r
}

func (rs *readers) remove(r *reader) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.open, r)
}

// Messages ranges over stored messages, oldest first, and then over those that arrive. None between the two is missed and
// none comes twice, however slow the reader is. Without Live it ends after the history; with Live when ctx does,
// without an error.
func (n *Node) Messages(ctx context.Context, q Query) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		var r *reader
		if q.Live {
			r = n.readers.add(q.Channel) // before the history is read: what arrives meanwhile is in both
			defer n.readers.remove(r)
		}
		shown := newShown()
		history, err := n.history(q)
		if err != nil {
			yield(store.Entry{}, err)
			return
		}
		for _, e := range slices.Backward(history) {
			shown.add(e.Message.ID)
			if ctx.Err() != nil || !yield(e, nil) {
				return
			}
		}
		if q.Live {
			n.follow(ctx, r, shown, yield)
		}
	}
}

// history is the newest messages first, by what their authors claim.
func (n *Node) history(q Query) ([]store.Entry, error) {
	if q.History == 0 {
		return nil, nil
	}
	if q.Channel != (protocol.Channel{}) {
		return newest(n.store.Channel(q.Channel), q.History)
	}
	var all []store.Entry
	err := n.store.View(func(v *store.View) error {
		for rank := range uint8(3) { // each in its own order of time
			part, err := newest(v.Range(reconcile.Prefix{}.Child(rank), reconcile.Key{}), q.History)
			if err != nil {
				return err
			}
			all = append(all, part...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b store.Entry) int { return cmp.Compare(b.Message.Created, a.Message.Created) })
	if q.History > 0 && len(all) > q.History {
		all = all[:q.History]
	}
	return all, nil
}

// newest takes the first most of a range, or all of it if most is negative.
func newest(entries iter.Seq2[store.Entry, error], most int) ([]store.Entry, error) {
	var out []store.Entry
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if out = append(out, e); len(out) == most {
			break
		}
	}
	return out, nil
}

// follow yields messages as they arrive.
func (n *Node) follow(ctx context.Context, r *reader, shown *shown, yield func(store.Entry, error) bool) {
	whole := n.wall() // when the queue last held everything that had arrived
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-r.next:
			if !shown.add(m.ID) {
				continue
			}
			e, err := n.store.Get(m.ID)
			if err != nil {
				continue // gone again already: expired or evicted
			}
			if !yield(e, nil) {
				return
			}
			if len(r.next) == 0 && len(r.lost) == 0 {
				whole = n.wall()
			}
		case <-r.lost:
			// The reader was too slow and the queue overflowed. What it missed is in the store.
			missed, err := n.since(r.channel, whole.Add(-time.Second))
			if err != nil {
				yield(store.Entry{}, err)
				return
			}
			for _, e := range missed {
				if shown.add(e.Message.ID) && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// since is what the store received after a moment, oldest first by receipt.
func (n *Node) since(c protocol.Channel, t time.Time) ([]store.Entry, error) {
	all, err := n.history(Query{Channel: c, History: -1})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e store.Entry) bool { return e.Received.Before(t) })
	slices.SortStableFunc(all, func(a, b store.Entry) int { return a.Received.Compare(b.Received) })
	return all, nil
}

// shownMost is how many IDs a reader's memory holds: far more than can be both in the history and in the queue, or
// arrive while the queue is full and the store is read again.
const shownMost = 1 << 14

// shown remembers what a reader has had lately.
type shown struct {
	ids  map[protocol.ID]struct{}
	ring []protocol.ID // the same in order of arrival, once it has shownMost
	at   int
}

func newShown() *shown { return &shown{ids: make(map[protocol.ID]struct{})} }

// add reports whether the ID is new.
func (s *shown) add(id protocol.ID) bool {
	if _, ok := s.ids[id]; ok {
		return false
	}
	s.ids[id] = struct{}{}
	if len(s.ring) < shownMost {
		s.ring = append(s.ring, id)
		return true
	}
	delete(s.ids, s.ring[s.at])
	s.ring[s.at] = id
	s.at = (s.at + 1) % shownMost
	return true
}
