package node

import (
	"errors"
	"fmt"
	"time"

	"longear/protocol"
	"longear/store"
)

// Life is what this node knows of one message's way.
type Life struct {
	ID       protocol.ID   `json:"-"`
	State    string        `json:"state"` // kept here, carried by N, seen, expired, removed, not here
	Own      bool          `json:"own"`
	Kept     bool          `json:"kept"`
	Received time.Time     `json:"received,omitzero"`
	Age      time.Duration `json:"-"`
	Expires  time.Duration `json:"-"`
	Carriers int           `json:"carriers"`         // distinct links that took it from here; counted for own messages
	Written  time.Time     `json:"written,omitzero"` // on this node
	Gone     string        `json:"gone,omitempty"`   // why it is not kept any more
	Seen     bool          `json:"seen"`             // a receipt or an answer came back
	Peers    int           `json:"peers"`            // connected now
	Next     string        `json:"next"`             // what happens next, in words
}

// Life tells the life of a message. store.ErrNotFound: nothing is known of it here.
func (n *Node) Life(id protocol.ID) (Life, error) {
	l := Life{ID: id}
	e, err := n.store.Get(id)
	switch {
	case err == nil:
		l.Kept, l.Own, l.Received, l.Age, l.Expires = true, e.Own, e.Received, e.Age, e.Expires
	case !errors.Is(err, store.ErrNotFound):
		return l, err
	}
	own, known, err := n.store.Life(id)
	if err != nil {
		return l, err
	}
	if known {
		l.Own, l.Carriers, l.Seen, l.Written = true, own.Carriers, own.Seen, own.Written
		if own.Gone {
			l.Gone = own.Cause.String()
		}
	}
	if !l.Kept && !known && n.store.Known(id) == protocol.Accept {
		return l, store.ErrNotFound
	}
	if n.up() == nil {
		l.Peers = len(n.links.all())
	}
	l.words()
	return l, nil
}

func (l *Life) words() {
	l.State = Delivery(l.Kept, l.Carriers, l.Seen)
	switch {
	case !l.Kept:
		l.Next = "nothing: it is not kept here any more"
	case l.Peers == 0:
		l.Next = "it waits for the next peer: none is connected"
	default:
		l.Next = "every connected peer is offered it within seconds"
	}
}

// Delivery is the words for how far a message has come. It never says "sent": nobody here can know.
func Delivery(kept bool, carriers int, seen bool) string {
	switch {
	case seen:
		return "seen"
	case !kept:
		return "expired"
	case carriers > 0:
		return fmt.Sprintf("carried by %d", carriers)
	}
	return "kept here"
}
