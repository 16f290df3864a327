package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"time"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/reconcile"
)

// Bounds of pulling.
const (
	// pullsOpen is how many requests one link has open: enough to keep it full, few enough that a second peer finds parts of
	// the set that nobody is pulling.
	pullsOpen = 2
	// pullWants and pullShorts are how much one request asks for by name. A want of everything under a prefix ends a
	// request: it may be large.
	pullWants  = 512
	pullShorts = 2048
	// claimsOpen is how many claims one link has open besides: fewer than a peer allows pulls in all.
	claimsOpen = 4
	// pullTimeout ends a link that sends nothing of what was asked, when its turn comes.
	pullTimeout = 20 * time.Second
	// pullLongest is when that is looked at though the link's turn does not come, since the peer starts rounds.
	pullLongest = time.Minute
	// wantsMost and shortsMost bound what one link has been told it could pull, of texts and of photos each: 1.4 MB at most. The short IDs that
	// one message can name fit in (reconcile's maxWants), so an honest peer names hardly any twice.
	wantsMost  = 1 << 14
	shortsMost = 1 << 16
	// spurnedMost bounds what one link remembers of the messages that it will not pull again.
	spurnedMost = 4096
)

// pull is one open request of ours.
type pull struct {
	frame.Request      // each of its wants is on lease, but a claim's
	media         bool // of photos: one at a time, and only while no other is open
	claim         bool // for nothing: see link.claim

	// Guarded by the link's mu.
	before uint64 // messages that the link had taken when it was sent
	bytes  int    // received for it
	intake int    // frames at the door
	ended  bool
	done   frame.End
	alive  time.Time
}

// stalled reports whether the peer has left a pull of ours without an answer for so long, and has answered no other meanwhile: texts go
// before photos, and pages of several answers take turns.
func (l *link) stalled(longest time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.fed) <= longest {
		return false
	}
	for _, p := range l.pulls {
		if !p.claim && p.intake == 0 && time.Since(p.alive) > longest {
			return true
		}
	}
	return false
}

// pulling reports whether any alerts or texts are under way to us.
func (l *link) pulling() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.urgentPulls() > 0
}

// urgentPulls counts the open pulls but those of media and for nothing. The caller holds mu.
func (l *link) urgentPulls() (n int) {
	for _, p := range l.pulls {
		if !p.media && !p.claim {
			n++
		}
	}
	return n
}

// pump opens requests for what is wanted, most urgent first, and returns out with their frames.
func (l *link) pump(out []byte) []byte { return l.pumpMedia(l.pumpTexts(out)) }

// pumpTexts opens requests for alerts and texts. What another link is pulling is left to it: a round shows what it did not bring when it lets
// go, or does not go on. To look before that would find the same, over and over.
func (l *link) pumpTexts(out []byte) []byte {
	wants, all := reconcile.Keep(l.wants, wantsMost, shortsMost)
	l.wants, l.again = wants, l.again || !all
	l.mu.Lock()
	defer l.mu.Unlock()
	left := false
	for len(l.wants) > 0 && l.urgentPulls() < pullsOpen {
		p := &pull{}
		shorts := 0
		for len(l.wants) > 0 && len(p.Wants) < pullWants && shorts < pullShorts {
			w := l.wants[0]
			l.wants[0] = reconcile.Want{} // the array stays while others are in it
			l.wants = l.wants[1:]
			if !l.n.leases.take(l, w.Prefix) {
				left = true
				continue
			}
			p.Wants = append(p.Wants, w)
			shorts += len(w.Short)
			if w.Whole {
				break
			}
		}
		if len(p.Wants) > 0 {
			out = l.request(out, p)
		}
	}
	if left {
		l.n.due(l, leased)
	}
	if (left || len(l.wants) > 0) && !l.asked {
		out = l.claim(out)
	}
	return out
}

// claim pulls what nobody has, when all that a round showed is left to other links or waits: a peer that is asked for nothing takes what
// differs for settled and does not show it again, not even when the other link has failed. The caller holds mu.
func (l *link) claim(out []byte) []byte {
	open := 0
	for _, p := range l.pulls {
		if p.claim {
			open++
		}
	}
	if open >= claimsOpen {
		return out
	}
	nobodys := reconcile.NewKey(0, 0, reconcile.ID{}).Prefix(reconcile.Nibbles)
	return l.request(out, &pull{Request: frame.Request{Wants: []reconcile.Want{{Prefix: nobodys, Whole: true}}}, claim: true})
}

// request sends a pull. The caller holds mu.
func (l *link) request(out []byte, p *pull) []byte {
	l.asked = true
	l.seq++
	p.Number, p.alive, p.before = l.seq, time.Now(), l.took.Load()
	l.pulls[p.Number] = p
	return frame.Append(out, frame.Pull, p.Append(nil))
}

// admit checks a messages frame against what was asked: only answers to open requests are looked at, and only as much
// as one answer may hold. A nil pull means that the frame is to be dropped.
func (l *link) admit(payload []byte) (*pull, []arrival, error) {
	seq, n := binary.Uvarint(payload)
	if n <= 0 {
		return nil, nil, fmt.Errorf("%w: a messages frame's number", frame.ErrFrame)
	}
	l.mu.Lock()
	p := l.pulls[seq]
	if p == nil || p.ended || p.claim {
		l.mu.Unlock()
		l.n.counts.unsolicited.Add(1)
		l.n.blame(l.peer, pointsUnsolicited, "unsolicited messages")
		return nil, nil, nil
	}
	p.bytes += len(payload)
	p.alive = time.Now()
	l.fed = p.alive
	over := p.bytes > answerMost+protocol.MaxFrame
	if !over {
		p.intake++
	}
	l.mu.Unlock()
	if over {
		return nil, nil, fmt.Errorf("%w: an answer of more than %d bytes", frame.ErrFrame, answerMost)
	}
	arrivals := make([]arrival, 0, len(payload)/256+1)
	for rest := payload[n:]; len(rest) > 0; {
		age, wire, next, err := frame.SplitRecord(rest)
		if err != nil {
			return nil, nil, err
		}
		arrivals = append(arrivals, arrival{wire: wire, age: time.Duration(age) * time.Millisecond, from: l.peer, way: BySync})
		rest = next
	}
	return p, arrivals, nil
}

// takeIn brings pulled messages through the door.
func (l *link) takeIn(ctx context.Context, in []arrival) {
	accepted, chunks, bytes := 0, 0, 0
	var news []arrival
	for i, v := range l.n.door.batch(ctx, in) {
		switch v {
		case protocol.Accept:
			accepted++
			bytes += len(in[i].wire)
			if isChunk(in[i].wire) {
				chunks++
			}
			if in[i].age < freshAge {
				news = append(news, in[i])
			}
		case protocol.IgnoreFull, protocol.IgnoreMuted:
			l.spurn(in[i].wire, false)
		case protocol.IgnoreExpired, protocol.IgnoreDead:
			l.spurn(in[i].wire, true)
		case protocol.IgnoreKnown:
			l.n.counts.repeated.Add(uint64(len(in[i].wire)))
		}
	}
	l.took.Add(uint64(accepted))
	l.late.Add(uint64(accepted - len(news)))
	l.n.counts.took.Add(uint64(accepted))
	if accepted == 0 {
		return
	}
	l.n.leases.touch(l, bytes) // by messages alone: bytes without any would keep from others what this peer never gives
	why := atOnce
	if chunks == accepted {
		why = bulk
	} else if len(news) == accepted && accepted <= newsMost && l.toGossip(ctx, news) {
		why = told
	}
	l.n.nudge(l, why)
}

// What has just been posted is spreading by gossip while a round finds it. If every node that pulled it made its other links look at
// once, sync would race gossip through the whole mesh and win with ten times the work. So what is fresh is left to gossip.
const (
	// freshAge is the age up to which gossip is taken to be at work on a message.
	freshAge = 2 * time.Second
	// newsMost is how many fresh messages of one frame are left to gossip; more are a backlog, for which its queues are too short.
	newsMost = 16
)

// toGossip tells gossip of fresh messages that came by sync and reports whether it has them. Over a young link, or one that gossip does
// not reach, they may enter the mesh here. Over an old one they have overtaken gossip, which would not go on from here: its own copy is none that
// this node lacks. The mesh knows what it had, so each node tells it once either way.
func (l *link) toGossip(ctx context.Context, news []arrival) bool {
	for _, a := range news {
		u, v := protocol.Decode(a.wire)
		if v != protocol.Accept {
			return false
		}
		_, d := u.Claims()
		if !gossips(d) {
			return false // the mesh never has it
		}
		if ok, _ := l.n.tellWire(ctx, a.wire, d, a.age); !ok {
			return false
		}
	}
	return true
}

// spurn remembers that a message of this peer's is not wanted, so that it is not pulled with every round. Only for
// this link: the peer may have lied about the age, and another's copy may be good. old says that it is not wanted for its age: then it is asked
// for again after a while, because the peer may have been lied to, and have a good copy since.
func (l *link) spurn(wire []byte, old bool) {
	u, v := protocol.Decode(wire)
	if v != protocol.Accept {
		return
	}
	_, d := u.Claims()
	k := reconcile.NewKey(d.Class.Rank(), d.Created, reconcile.ID(u.ID()))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spurned == nil || len(l.spurned) >= spurnedMost {
		l.spurned = make(map[reconcile.Key]bool)
	}
	l.spurned[k] = old
}

// unspurn lets what was spurned for its age be asked for again.
func (l *link) unspurn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.spurned, func(_ reconcile.Key, old bool) bool { return old })
}

// tookIn is the loop's part of the end of an intake.
func (l *link) tookIn(p *pull) error {
	l.mu.Lock()
	p.intake--
	p.alive = time.Now()
	l.mu.Unlock()
	return l.advance(p)
}

func (l *link) onDone(b []byte) error {
	d, err := frame.ParseEnd(b)
	if err != nil {
		return err
	}
	l.mu.Lock()
	p := l.pulls[d.Number]
	if p == nil || p.ended {
		l.mu.Unlock()
		return nil
	}
	p.ended, p.done = true, d
	l.mu.Unlock()
	if _, _, err := d.Next(p.Request); err != nil {
		return err
	}
	return l.advance(p)
}

// advance goes on after an answer, or a part of it, is in.
func (l *link) advance(p *pull) error {
	l.mu.Lock()
	if !p.ended || p.intake > 0 {
		l.mu.Unlock()
		return nil
	}
	delete(l.pulls, p.Number)
	if p.claim {
		l.mu.Unlock()
		return l.proceed(nil)
	}
	switch {
	case l.took.Load() != p.before:
		l.vain.Store(0)
	case !p.media: // a photo's parts are asked for before it is known who has them
		l.vain.Add(1)
	}
	free := p.Wants
	var out []byte
	if rest, more, _ := p.done.Next(p.Request); more {
		free = p.Wants[:p.done.At]
		next := &pull{Request: rest, media: p.media}
		if p.media {
			l.media.held = next
		} else {
			out = l.request(nil, next)
		}
	}
	l.mu.Unlock()
	if p.media {
		l.mediaDone(p)
	}
	for other := range l.n.leases.give(l, free) {
		l.n.due(other, freed)
	}
	return l.proceed(out)
}

// proceed goes on when a pull is over.
func (l *link) proceed(out []byte) error {
	if err := l.flush(l.pump(out)); err != nil {
		return err
	}
	return l.rest()
}
