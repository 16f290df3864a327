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
	// Media is also what has class media: the parts of photos, which nobody shows by themselves.
	Media bool
	// Live goes on with messages as they arrive, until ctx ends.
	Live bool
	// NoResponses leaves responses out: a poll may have thousands, and the newest messages be nothing else.
	NoResponses bool
	// Hide, when not nil, is asked about each message before it is given out; who is muted here is left out without it. It must
	// return soon.
	Hide func(*protocol.Message) bool
}

// wants reports whether the reader asked for a message like this.
func (q *Query) wants(m *protocol.Message) bool {
	return (q.Channel == protocol.Channel{} || q.Channel == m.Channel) &&
		(q.Media || m.Class != protocol.Media) && !(q.NoResponses && m.Kind == protocol.Response)
}

// backlog is how many messages a slow reader may be behind before it has to read the store again.
const backlog = 256

// readers are those who wait for messages.
type readers struct {
	mu   sync.Mutex
	open map[*reader]struct{} // guarded by mu
}

type reader struct {
	q    Query
	next chan *protocol.Message // of size backlog; when it is full, lost is set instead
	lost chan struct{}          // of size 1
}

// tell offers a stored message to every reader without waiting for any.
func (rs *readers) tell(m *protocol.Message) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var own *protocol.Message
	for r := range rs.open {
		if !r.q.wants(m) {
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

func (rs *readers) add(q Query) *reader {
	r := &reader{q: q, next: make(chan *protocol.Message, backlog), lost: make(chan struct{}, 1)}
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
// none comes twice, however slow the reader is. Who is muted, see Config.Mutes, is left out. Without Live it ends after the history; with Live when ctx does,
// without an error.
func (n *Node) Messages(ctx context.Context, q Query) iter.Seq2[store.Entry, error] {
	q = n.hiding(q)
	return func(yield func(store.Entry, error) bool) {
		var r *reader
		if q.Live {
			r = n.readers.add(q) // before the history is read: what arrives meanwhile is in both
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
	if q.Channel != (protocol.Channel{}) && q.Media {
		return newest(n.store.Channel(q.Channel), &q)
	}
	if q.Channel != (protocol.Channel{}) {
		return newest(n.store.Talk(q.Channel), &q)
	}
	var all []store.Entry
	err := n.store.View(func(v *store.View) error {
		ranks := uint8(rankMedia)
		if q.Media {
			ranks++
		}
		for rank := range ranks { // each in its own order of time
			part, err := newest(v.Range(reconcile.Prefix{}.Child(rank), reconcile.Key{}), &q)
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

// newest takes from a range as much history as is asked for.
func newest(entries iter.Seq2[store.Entry, error], q *Query) ([]store.Entry, error) {
	var out []store.Entry
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if !q.wants(e.Message) || q.Hide(e.Message) {
			continue
		}
		if out = append(out, e); len(out) == q.History {
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
			if !shown.add(m.ID) || r.q.Hide(m) {
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
			missed, err := n.since(r.q, whole.Add(-time.Second))
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
func (n *Node) since(q Query, t time.Time) ([]store.Entry, error) {
	q.History = -1
	all, err := n.history(q)
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
