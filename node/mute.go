package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Muting has two strengths. Whoever is muted is not shown and not counted here, but still carried: others may want to hear them, and
// a person's taste must not cut a crowd's way. Whoever is dropped is not carried either: the door refuses what they write and
// what was kept goes. What is refused is remembered like what has died, so that sync does not fetch it again; the store bounds
// that memory, and past the bound it is fetched and refused once more. Only the author whom everybody can see is refused: whoever wrote
// a letter is known to its reader alone, who does not see it.

// errNoMutes is returned where there is no list.
var errNoMutes = errors.New("node: Config.Mutes is nil: open the list with store.OpenMutes")

// muteSlack is how long after the end of a mute what it refused is let in again: once for several that end together.
const muteSlack = time.Second

// Mute mutes an author, or changes how, and returns when what it asks for is done, or cannot be now; the list stands
// then all the same, and what was kept of a dropped author goes when the node starts next.
func (n *Node) Mute(ctx context.Context, m store.Mute) error {
	if n.cfg.Mutes == nil {
		return errNoMutes
	}
	m.Due = m.Drop
	if err := n.cfg.Mutes.Set(m); err != nil {
		return fmt.Errorf("mute: %w", err)
	}
	return n.settleMutes(ctx)
}

// Unmute hears an author again, or returns [store.ErrNotMuted]. What was refused meanwhile may come again, by the next sync with
// a peer that has it.
func (n *Node) Unmute(ctx context.Context, a protocol.Author) error {
	if n.cfg.Mutes == nil {
		return errNoMutes
	}
	if err := n.cfg.Mutes.Remove(a); err != nil {
		return fmt.Errorf("unmute: %w", err)
	}
	return n.settleMutes(ctx)
}

// settleMutes does what the list asks of the store, one at a time: a search that began before somebody was wanted again must not go on
// behind it. What ctx cuts short is done when somebody is muted or unmuted next, when a mute ends by itself, or when the node starts next.
func (n *Node) settleMutes(ctx context.Context) error {
	select {
	case n.settling <- struct{}{}:
		defer func() { <-n.settling }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := n.cfg.Mutes.Lapse(); err != nil {
		return err
	}
	select {
	case n.remuted <- struct{}{}: // another may end sooner now
	default:
	}
	for generation := n.cfg.Mutes.Generation(); n.cfg.Mutes.Owed(); generation = n.cfg.Mutes.Generation() {
		if err := n.store.Readmit(ctx); err != nil {
			return err
		}
		if err := n.cfg.Mutes.Readmitted(generation); err != nil {
			return err
		}
		n.forgetSpurned()
	}
	return n.sweepMutes(ctx)
}

// sweepMutes lets go of what is kept of authors who were dropped since the last time.
func (n *Node) sweepMutes(ctx context.Context) error {
	due := make(map[protocol.Author]bool)
	var authors []protocol.Author
	for _, m := range n.cfg.Mutes.List() {
		if m.Due {
			due[m.Author] = true
			authors = append(authors, m.Author)
		}
	}
	if len(due) == 0 {
		return nil
	}
	if _, err := n.store.RefuseAuthors(ctx, func(a protocol.Author) bool { return due[a] && n.cfg.Mutes.Drops(a) }); err != nil {
		return err
	}
	return n.cfg.Mutes.Swept(authors)
}

// forgetSpurned ends every sync link: each remembers what it would not take, and what the two ends left aside for good. The
// next one, a moment later, compares anew.
func (n *Node) forgetSpurned() {
	for _, l := range n.links.all() {
		l.stream.Reset()
	}
}

// keepMutes finishes what an earlier run began, and acts when a mute ends by itself.
func (n *Node) keepMutes(ctx context.Context) error {
	if n.cfg.Mutes == nil {
		return nil
	}
	for {
		if err := n.settleMutes(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("muted authors could not be seen to", "err", err)
		}
		for !n.awaitMuteEnd(ctx) {
			if ctx.Err() != nil {
				return nil
			}
		}
	}
}

// awaitMuteEnd waits for the end of a mute, a minute at most, because the wall clock may jump and a timer does not; false: the list has
// changed, or ctx has ended.
func (n *Node) awaitMuteEnd(ctx context.Context) bool {
	var end <-chan time.Time
	if at := n.nextMuteEnd(); !at.IsZero() {
		timer := time.NewTimer(min(max(at.Sub(n.wall()), 0), time.Minute) + muteSlack)
		defer timer.Stop()
		end = timer.C
	}
	select {
	case <-end:
		return true
	case <-n.remuted:
	case <-ctx.Done():
	}
	return false
}

// nextMuteEnd is when the next mute ends; zero if none does.
func (n *Node) nextMuteEnd() (at time.Time) {
	for _, m := range n.cfg.Mutes.List() {
		if !m.Until.IsZero() && (at.IsZero() || m.Until.Before(at)) {
			at = m.Until
		}
	}
	return at
}

// hiding makes a query leave out who is muted, as the list is when a message is about to be shown.
func (n *Node) hiding(q Query) Query {
	too := q.Hide
	q.Hide = func(m *protocol.Message) bool { return n.cfg.Mutes.Hides(m.Author) || too != nil && too(m) }
	return q
}

// unwanted makes the verdict on a message of a dropped author. One that died here before is as unwanted as another, and says so.
func (d *door) unwanted(u *protocol.Unverified, v protocol.Verdict) protocol.Verdict {
	author, _ := u.Claims()
	if (v == protocol.Accept || v == protocol.IgnoreDead) && d.n.cfg.Mutes.Drops(author) {
		return protocol.IgnoreMuted
	}
	return v
}

// refuseMuted remembers the messages that were refused for their author, each once: the next round of sync leaves them out. Their
// signatures were not checked; but an ID covers the author, so nobody else's message can be kept away by it.
func (d *door) refuseMuted(ctx context.Context, in []arrival, out []protocol.Verdict) {
	var keys []reconcile.Key
	var authors []protocol.Author
	for i := range in {
		if out[i] != protocol.IgnoreMuted {
			continue
		}
		u, v := protocol.Decode(in[i].wire)
		if v != protocol.Accept {
			continue
		}
		// Sync does not ask for one of the dead unless a smaller age would bring it back, as it would not from then on.
		if known := d.n.store.Known(u.ID()); known != protocol.Accept && (known != protocol.IgnoreDead || in[i].way != BySync) {
			continue
		}
		author, draft := u.Claims()
		authors = append(authors, author)
		keys = append(keys, reconcile.NewKey(draft.Class.Rank(), draft.Created, reconcile.ID(u.ID())))
	}
	if len(keys) == 0 {
		return
	}
	if err := d.n.store.Refuse(ctx, keys); err != nil {
		d.n.log.Debug("could not remember what was refused", "err", err) // it is refused again when it comes again
	}
	d.readmit(ctx, authors)
}

// readmit lets in again what was refused a moment ago of authors who are wanted since: when they were unmuted the store may have looked
// before that was written.
func (d *door) readmit(ctx context.Context, refused []protocol.Author) {
	if !slices.ContainsFunc(refused, func(a protocol.Author) bool { return !d.n.cfg.Mutes.Drops(a) }) {
		return
	}
	if err := d.n.store.Readmit(ctx); err != nil {
		d.n.log.Warn("what an author wrote is still refused", "err", err)
	}
}

// dropped takes out again what was stored while its author was being dropped: the search through the store may have
// begun before it was there.
func (d *door) dropped(ctx context.Context, m *protocol.Message) bool {
	if !d.n.cfg.Mutes.Drops(m.Author) {
		return false
	}
	if err := d.n.store.Remove(ctx, []protocol.ID{m.ID}, store.Refused); err != nil {
		d.n.log.Warn("an author's message could not be dropped", "err", err)
	}
	d.readmit(ctx, []protocol.Author{m.Author})
	return true
}
