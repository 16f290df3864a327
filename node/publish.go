package node

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"longear/protocol"
	"longear/store"
)

// Publish signs a draft as this node's author, stores it for good and tells whoever is connected. A Created of
// zero becomes now by this node's clock; a draft from someone who does not know the time may set Created to 1.
func (n *Node) Publish(ctx context.Context, d protocol.Draft) (*protocol.Message, error) {
	if n.cfg.Key == nil {
		return nil, errors.New("publish: this node has no author key")
	}
	if d.Created == 0 {
		d.Created = uint64(max(n.wall().UnixMilli(), 0))
	}
	m, err := protocol.Sign(n.cfg.Key, d)
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	return m, n.PostOwn(ctx, m)
}

// ErrFull is returned by [Node.PostOwn] for a part of a photo that its share of the store has no room for, and by a full disk.
var ErrFull = errors.New("the store is full")

// PostOwn stores and tells a message that this node's user signed with some key, such as the throwaway author
// of a direct message. It returns once the message is safe on disk, whether or not anybody could be told.
func (n *Node) PostOwn(ctx context.Context, m *protocol.Message) error {
	verdicts, err := n.store.Put(ctx, []store.Item{{Message: m, Own: true}})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	switch verdicts[0] {
	case protocol.Accept:
	case protocol.IgnoreKnown:
		return nil
	case protocol.IgnoreFull:
		return fmt.Errorf("publish: %w", ErrFull)
	default:
		return fmt.Errorf("publish: the store said %v", verdicts[0])
	}
	n.ownGen.Add(1)
	n.arrived(m, &arrival{way: ByHand})
	n.spread(ctx, m, 0)
	return nil
}

// Post brings a message that somebody else signed (a guest, a program) through the one door and tells it to whoever
// is connected.
func (n *Node) Post(ctx context.Context, wire []byte) (protocol.Verdict, error) {
	v := n.door.one(ctx, arrival{wire: wire, way: ByHand})
	if v == protocol.IgnoreStore {
		return v, errors.New("post: the store failed")
	}
	if v == protocol.Accept {
		// The door has checked the signature: the bytes need only be read again.
		if u, v := protocol.Decode(wire); v == protocol.Accept {
			m, err := protocol.Restore(wire, u.ID())
			if err != nil {
				return v, fmt.Errorf("post: %w", err)
			}
			n.spread(ctx, m, 0)
		}
	}
	return v, nil
}

// spread tells the mesh and makes every link look for differences: gossip may lose what it is told.
func (n *Node) spread(ctx context.Context, m *protocol.Message, age time.Duration) {
	if n.up() != nil {
		return
	}
	why := told
	if ok, err := n.tell(ctx, m, age); !ok {
		why = atOnce
		n.log.Debug("gossip did not take a message", "msg", m.ID, "err", err)
	}
	n.nudge(nil, why)
}

// Imported counts what came of a carry file.
type Imported struct {
	Records int            `json:"records"`
	New     int            `json:"new"`
	Known   int            `json:"known"`
	Refused int            `json:"refused"` // forged or malformed
	Ignored int            `json:"ignored"` // dead, expired, no room
	Damaged int            `json:"damaged"` // could not be read from the file
	Reasons map[string]int `json:"reasons,omitempty"`
}

// importBatch is how many messages of a file go through the door together.
const importBatch = 512

// Import brings the messages of a carry file through the one door. Damage in the file does not stop it: the error, which
// joins what was wrong, comes with the counts of what was saved.
func (n *Node) Import(ctx context.Context, records iter.Seq2[protocol.CarryRecord, error]) (Imported, error) {
	done := Imported{Reasons: make(map[string]int)}
	var damage error
	var batch []arrival
	flush := func() error {
		for _, v := range n.door.batch(ctx, batch) {
			done.count(v)
			if v == protocol.IgnoreStore {
				return errors.New("import: the store failed; what was counted as new is safe")
			}
		}
		batch = batch[:0]
		return ctx.Err()
	}
	for r, err := range records {
		if err != nil {
			done.Damaged++
			damage = err // the last one says how far the file could be read
			continue
		}
		batch = append(batch, arrival{wire: r.Wire, age: r.Age, way: ByFile})
		if len(batch) == importBatch {
			if err := flush(); err != nil {
				return done, err
			}
		}
	}
	if err := flush(); err != nil {
		return done, err
	}
	if done.New > 0 {
		n.nudge(nil, atOnce)
	}
	return done, damage
}

func (i *Imported) count(v protocol.Verdict) {
	i.Records++
	i.Reasons[v.String()]++
	switch {
	case v == protocol.Accept:
		i.New++
	case v == protocol.IgnoreKnown:
		i.Known++
	case v.Rejected():
		i.Refused++
	default:
		i.Ignored++
	}
}

// credit notes that a peer whose set equals ours has every message of ours.
func (n *Node) credit(ctx context.Context, l *link) {
	gen := n.ownGen.Load() + 1
	if l.credited == gen {
		return
	}
	l.credited = gen
	ids, err := n.store.OwnIDs()
	if err == nil && len(ids) > 0 {
		err = n.store.Took(ctx, l.token(), ids)
	}
	if err != nil {
		n.log.Debug("could not note a carrier", "err", err)
	}
}
