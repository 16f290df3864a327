package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/pb"
	"longear/protocol/reconcile"
	"longear/store"
)

// ask tells the loop that it is time to look; news, that something has come in.
func (l *link) ask(news bool) {
	if news {
		l.news.Store(true)
	}
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// wanted acts on being due: a round from the initiator; a nudge from the other side if it has news, since the initiator has its
// own times for the rest. A round that is under way is let finish, unless the peer has gone silent in it.
func (l *link) wanted() error {
	if err := l.overdue(); err != nil {
		return err
	}
	if err := l.flush(l.pump(nil)); err != nil { // another link may have let go of what was left to it
		return err
	}
	news := l.news.Swap(false)
	switch {
	case !l.initiator && !news:
		return nil
	case l.answering || l.pulling():
		l.again = true
		return nil
	case !l.initiator:
		return l.write(frame.Nudge, nil)
	}
	return l.startRound()
}

// overdue ends the link of a peer that leaves a question without an answer, and is silent. It is not while it takes what is written to it slowly,
// behind which the question was.
func (l *link) overdue() error {
	if time.Since(l.waited) <= l.patience {
		return nil
	}
	if l.answering && time.Since(l.roundAt) > roundTimeout && !l.heardIn(roundTimeout) {
		return fmt.Errorf("no answer in a round for %v", roundTimeout)
	}
	if l.stalled(pullTimeout) {
		return fmt.Errorf("no answer to a pull for %v", pullTimeout)
	}
	return nil
}

// heardIn reports whether, so lately, a part came of what may stand before an answer in a round, or is one.
func (l *link) heardIn(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.fed) <= d || time.Since(l.said) <= d
}

// startRound begins a round as the initiator.
func (l *link) startRound() error {
	l.endRound()
	out := l.hello(nil)
	scope, common := l.n.scope().Meet(l.peerScope)
	if !common {
		return l.flush(out)
	}
	if l.mediaMoves() {
		l.n.post(wake{link: l, why: bulk}) // and about all of it soon after: only that tells that the peer has everything of ours
		if scope.Ranks &^= 1 << rankMedia; scope.Ranks == 0 {
			return l.flush(out)
		}
	}
	l.scope, l.marked = scope, l.n.carriers.mark()
	var msg []byte
	err := l.look(func(v *store.View) (err error) {
		l.view = v
		msg, err = l.session.Start(scope.View(v))
		return err
	})
	if err != nil {
		return fmt.Errorf("start a round: %w", err)
	}
	out = frame.Append(out, frame.Round, append(frame.AppendScope(nil, scope), msg...))
	l.answering, l.roundAt, l.messages = true, time.Now(), 1
	return l.flush(out)
}

// endRound closes the books of the last round: one that moved nothing need not be repeated while nothing changes. What the responder
// asks for because of it may still be on its way to the initiator, but comes before the responder's part of the next.
func (l *link) endRound() {
	if l.session.Close(); l.initiator {
		l.movedLast = l.moved
	} else {
		l.session.Settle(!l.moved)
	}
	l.moved, l.asked, l.again = false, false, false
}

// hello appends our hello if it is due: with the first frame, and from the initiator when the salt has served its time.
func (l *link) hello(out []byte) []byte {
	if l.greeted && !(l.initiator && time.Since(l.salted) > saltLife) {
		return out
	}
	l.greeted = true
	scope := l.n.scope()
	h := &pb.Hello{
		Version:       1,
		MaxMessage:    protocol.MaxMessage,
		MaxLifetime:   uint32(protocol.MaxLifetime / time.Second),
		Classes:       uint32(scope.Ranks),
		OldestCreated: scope.Floor,
		Room:          l.n.room(),
	}
	if l.initiator {
		var salt reconcile.Salt
		rand.Read(salt[:]) // never fails (crypto/rand)
		l.setSalt(salt)
		h.Salt = salt[:]
	}
	b, err := proto.Marshal(h)
	if err != nil {
		return out // cannot happen: the message has no required fields and no strings
	}
	return frame.Append(out, frame.Hello, b)
}

// handle acts on one frame from the peer.
func (l *link) handle(ctx context.Context, e event) error {
	switch e.kind {
	case frame.Hello:
		return l.onHello(e.payload)
	case frame.Round:
		return l.onRound(ctx, e.payload)
	case frame.Recon:
		if !l.answering {
			return fmt.Errorf("%w: a reconciliation message outside a round", frame.ErrFrame)
		}
		if len(e.payload) == 0 {
			return l.declined()
		}
		return l.onRecon(ctx, e.payload, nil)
	case frame.Pull:
		return l.onPull(e.payload)
	case frame.Messages:
		return l.tookIn(e.pull)
	case frame.Done:
		return l.onDone(e.payload)
	case frame.Nudge:
		if !l.initiator {
			return fmt.Errorf("%w: a nudge to the side that does not start rounds", frame.ErrFrame)
		}
		if !l.begun.Allow() { // each would be a look at all links
			l.again = true
			return nil
		}
		l.n.due(l, atOnce)
		return nil
	}
	return frame.ErrFrame
}

func (l *link) onHello(b []byte) error {
	var h pb.Hello
	if err := proto.Unmarshal(b, &h); err != nil {
		return fmt.Errorf("%w: hello: %v", frame.ErrFrame, err)
	}
	l.peerScope = reconcile.Scope{Floor: h.OldestCreated, Ranks: uint16(h.Classes)}
	if l.initiator {
		return nil
	}
	if len(h.Salt) != len(reconcile.Salt{}) {
		return fmt.Errorf("%w: a hello with a salt of %d bytes", frame.ErrFrame, len(h.Salt))
	}
	l.setSalt(reconcile.Salt(h.Salt))
	return nil
}

func (l *link) setSalt(s reconcile.Salt) {
	if len(l.media.wants) > 0 { // they are named by the old one
		l.media.wants, l.again = nil, true
	}
	l.unspurn()
	l.salt, l.salted = s, time.Now()
	l.session.SetSalt(s)
}

// onRound answers the first message of a round. A scope wider than what this node wants is answered by saying so.
func (l *link) onRound(ctx context.Context, b []byte) error {
	if l.initiator || l.salted.IsZero() {
		return fmt.Errorf("%w: a round from the side that does not start them, or before a hello", frame.ErrFrame)
	}
	scope, msg, err := frame.SplitScope(b)
	if err != nil {
		return err
	}
	if !l.begun.Allow() {
		return fmt.Errorf("the peer starts more than %v rounds a second", roundRate)
	}
	l.endRound()
	if own, ok := l.n.scope().Meet(scope); !ok || own != scope {
		l.greeted, l.answering = false, false
		return l.flush(frame.Append(l.hello(nil), frame.Recon, nil))
	}
	out := l.hello(nil)
	l.scope, l.marked = scope, l.n.carriers.mark()
	l.answering, l.roundAt, l.messages = true, time.Now(), 0
	return l.onRecon(ctx, msg, out)
}

// declined ends a round that the responder would not have: its hello, which came first, says what it wants
// instead. Once for each change, so that two that cannot agree do not go round.
func (l *link) declined() error {
	if !l.initiator {
		return fmt.Errorf("%w: an empty reconciliation message", frame.ErrFrame)
	}
	l.answering = false
	if scope, common := l.n.scope().Meet(l.peerScope); !common || scope == l.scope {
		return nil
	}
	l.again = true
	return l.rest()
}

// onRecon advances the round by one message of the peer's.
func (l *link) onRecon(ctx context.Context, msg, out []byte) error {
	if l.initiator && l.messages == 1 { // so far only the ROUND
		l.session.Settle(!l.movedLast && !l.moved)
	}
	var reply []byte
	var done bool
	l.veto()
	err := l.look(func(v *store.View) (err error) {
		l.view = v
		reply, done, err = l.session.Receive(l.scope.View(v), msg)
		return err
	})
	if err != nil {
		if errors.Is(err, reconcile.ErrMessage) {
			return fmt.Errorf("%w: %v", frame.ErrFrame, err)
		}
		return fmt.Errorf("reconcile: %w", err)
	}
	l.messages++
	l.roundAt = time.Now()
	l.sortWants(l.session.Wants())
	out = l.pump(out) // before the reply: when that ends the round the peer knows that it was not quiet
	if reply != nil {
		l.messages++
		out = frame.Append(out, frame.Recon, reply)
	}
	if err := l.flush(out); err != nil {
		return err
	}
	if done {
		return l.roundOver(ctx)
	}
	return nil
}

// roundOver notes the end of a round.
func (l *link) roundOver(ctx context.Context) error {
	l.answering = false
	l.ended.Store(int64(time.Since(l.opened)))
	l.rounds.Add(1) // after it: lastRound holds once there is one
	l.equal.Store(l.session.Equal())
	if l.session.Equal() && l.scope.Ranks == allRanks {
		l.vain.Store(0)    // it holds back nothing
		l.n.credit(ctx, l) // the peer has everything of ours
		// Of what is outside a narrower scope it has not said anything.
		if l.scope.Floor == 0 && l.scope.Ranks&allRanks == allRanks {
			l.n.carriers.equal(l.token(), l.counted, l.marked)
			l.counted = l.marked
		}
	}
	if l.session.Incomplete() {
		l.again = true
	}
	return l.rest()
}

// rest starts the next round at once if the last one left something, and nothing is under way. Where that has been too often it is left to
// the schedule, as what comes in is.
func (l *link) rest() error {
	if !l.again || l.answering || l.pulling() {
		return nil
	}
	l.again = false
	switch {
	case !l.initiator:
		return l.write(frame.Nudge, nil)
	case !l.repeated.Allow():
		l.n.due(l, atOnce)
		return nil
	}
	return l.startRound()
}
