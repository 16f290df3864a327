package node

import (
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/protocol"
	"longear/store"
)

// What may happen, in the words of Event.What.
const (
	peerCame   = "peer came"   // Detail: the rung that found it
	peerWent   = "peer went"   //
	peerBanned = "peer banned" // Detail: for what
	refused    = "refused"     // Detail: the verdict; Peer: who brought it, "" for a file, a guest or a program
	evicted    = "evicted"     // Count: messages that made room for others
	storeAiled = "store"       // Detail: what is wrong
	guestCame  = "guest came"  //
)

// Event is something that whoever runs a node may want to know. It holds no text of a message, no key and no address.
type Event struct {
	Seq    uint64    `json:"seq"` // of the last time; a later event, or an earlier one that happened again, has a higher one
	What   string    `json:"what"`
	Peer   string    `json:"peer,omitempty"` // the end of its transport identity, as logs show it
	Detail string    `json:"detail,omitempty"`
	Count  uint64    `json:"count"` // the same, again and again
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// Bounds of the chronicle.
const (
	// maxEvents is how many are remembered. When it is full the kind that has the most loses its oldest, so that whoever makes one kind
	// happen, by coming and going, pushes out no other.
	maxEvents = 200
	// sameWithin joins what happens again to the last time: a flood is one line with a count.
	sameWithin = time.Minute
	// maxDetail bounds the text of one, in bytes: errors quote what failed.
	maxDetail = 200
)

// chronicle remembers the last events, in memory only: a seized machine must not tell who came when.
type chronicle struct {
	now func() time.Time // set by New

	mu     sync.Mutex
	seq    uint64               // guarded by mu
	events []Event              // guarded by mu; at most maxEvents, by Seq
	here   map[peer.ID]struct{} // guarded by mu; connected peers, so that a second connection is no second coming
	kept   store.Stats          // guarded by mu; when last looked at
}

// note remembers an event.
func (c *chronicle) note(e Event) {
	e.Detail = e.Detail[:min(len(e.Detail), maxDetail)]
	e.Last = c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(e)
}

// enter is note for who holds mu and has set e.Last.
func (c *chronicle) enter(e Event) {
	e.Count, e.First = max(e.Count, 1), e.Last
	for i := len(c.events) - 1; i >= 0; i-- {
		old := c.events[i]
		if old.What == e.What && old.Peer == e.Peer && old.Detail == e.Detail {
			if e.Last.Sub(old.Last).Abs() < sameWithin {
				e.Count, e.First = e.Count+old.Count, old.First
				c.events = slices.Delete(c.events, i, i+1)
			}
			break
		}
	}
	if len(c.events) == maxEvents {
		c.makeRoom()
	}
	c.seq++
	e.Seq = c.seq
	c.events = append(c.events, e)
}

// makeRoom forgets the oldest event of the kind that has the most. The caller holds mu.
func (c *chronicle) makeRoom() {
	of := make(map[string]int)
	for _, e := range c.events {
		of[e.What]++
	}
	most := 0
	for _, n := range of {
		most = max(most, n)
	}
	at := slices.IndexFunc(c.events, func(e Event) bool { return of[e.What] == most })
	c.events = slices.Delete(c.events, at, at+1)
}

// came and went tell of connections; a peer comes with its first and goes with its last.
func (c *chronicle) came(p peer.ID, via string) {
	c.mu.Lock()
	_, already := c.here[p]
	if c.here == nil {
		c.here = make(map[peer.ID]struct{})
	}
	c.here[p] = struct{}{} // bounded by the connections
	c.mu.Unlock()
	if !already {
		c.note(Event{What: peerCame, Peer: short(p), Detail: via})
	}
}

func (c *chronicle) went(p peer.ID) {
	c.mu.Lock()
	_, was := c.here[p]
	delete(c.here, p)
	c.mu.Unlock()
	if was {
		c.note(Event{What: peerWent, Peer: short(p)})
	}
}

// refuse tells of a message that was not taken, if that says more than that it is here, or was here, already.
func (c *chronicle) refuse(p peer.ID, v protocol.Verdict) {
	switch v {
	case protocol.Accept, protocol.IgnoreKnown, protocol.IgnoreDead, protocol.IgnoreExpired, protocol.IgnoreStore:
		return // a failing store tells of itself
	}
	who := ""
	if p != "" {
		who = short(p)
	}
	c.note(Event{What: refused, Peer: who, Detail: v.String()})
}

// look compares the store with what it said last.
func (c *chronicle) look(st store.Stats) {
	at := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.kept
	c.kept = st
	if st.Evicted > was.Evicted {
		c.enter(Event{What: evicted, Count: st.Evicted - was.Evicted, Last: at})
	}
	if st.Corrupt > was.Corrupt {
		c.enter(Event{What: storeAiled, Detail: "damaged on disk", Count: st.Corrupt - was.Corrupt, Last: at})
	}
	if st.Failed != nil && was.Failed == nil {
		text := st.Failed.Error()
		c.enter(Event{What: storeAiled, Detail: text[:min(len(text), maxDetail)], Last: at})
	}
}

// Events are the last things that happened, at most 200, by Seq.
func (n *Node) Events() []Event {
	n.chronicle.look(n.store.Stats())
	c := &n.chronicle
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.events)
}

// GuestCame tells of a guest who was not here before.
func (n *Node) GuestCame(string) { n.chronicle.note(Event{What: guestCame}) }
