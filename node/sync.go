package node

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"longear/protocol"
	"longear/protocol/pb"
	"longear/protocol/reconcile"
	"longear/store"
)

const syncProtocol = libp2p.ID("/longear/sync/1")

// Times of a link.
const (
	// writeTimeout ends a link whose peer does not read.
	writeTimeout = 20 * time.Second
	// roundTimeout ends a link whose peer does not answer in a round.
	roundTimeout = 20 * time.Second
	// saltLife is how long one salt serves. A chance match of short IDs, one in four billion a pair, hides a
	// message at most that long.
	saltLife = 10 * time.Minute
)

// link is sync with one peer over one stream: rounds of reconciliation, pulls of what is missing here, answers to
// the peer's pulls. Two goroutines serve it. The reader parses frames and takes messages in through the door. The
// loop (run) owns everything else and is the only one that writes, so that two peers can never wait for each other's readers.
type link struct {
	n         *Node
	peer      peer.ID
	stream    network.Stream
	initiator bool
	local     bool // the peer's address is on a network at hand
	opened    time.Time
	gone      chan struct{} // closed when the link has ended

	// events go from the reader and from those who take messages in to the loop. 64 is more than an honest peer
	// can have under way; the reader waits when it is full.
	events chan event
	// due asks the loop for a round. Of size 1: more asking is the same asking.
	due chan struct{}

	// Owned by the loop.
	session   *reconcile.Session
	view      *store.View // during a call of session
	scope     reconcile.Scope
	peerScope reconcile.Scope
	salt      reconcile.Salt
	salted    time.Time
	greeted   bool // our hello is out
	answering bool // a round is under way
	roundAt   time.Time
	messages  int  // of this round, both ways
	moved     bool // this round moved messages in either direction
	again     bool // the set may differ still: start a round when the pulls are done
	wants     []reconcile.Want
	jobs      []*answer
	credited  uint64 // generation of own messages that this peer is known to have

	mu    sync.Mutex
	pulls map[uint64]*pull // guarded by mu; open requests of ours
	seq   uint64           // guarded by mu
	// spurned are messages of this peer's that this node does not take. Guarded by mu.
	spurned map[reconcile.Key]struct{}

	took, gave        atomic.Uint64 // messages
	received, sent    atomic.Uint64 // bytes
	lastRound, rounds atomic.Int64  // unix ms of the last finished round; how many
	equal             atomic.Bool   // the last round found nothing
}

// event is something the loop should know: a frame from the peer, or the end of one pulled frame's intake.
type event struct {
	kind    byte
	payload []byte
	pull    *pull // for frameMessages: the pull whose frame has been taken in
}

func newLink(n *Node, s network.Stream, initiator bool) *link {
	l := &link{
		n: n, peer: s.Conn().RemotePeer(), stream: s, initiator: initiator,
		local:  isLocalConn(s.Conn()),
		opened: time.Now(),
		gone:   make(chan struct{}),
		events: make(chan event, 64),
		due:    make(chan struct{}, 1),
		pulls:  make(map[uint64]*pull),
	}
	l.session = reconcile.NewSession(reconcile.Config{Initiator: initiator, Refused: l.refused})
	return l
}

// refused is what this node will not take again, for the session: the dead of the store, and what this peer has offered
// in vain.
func (l *link) refused(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	var here []reconcile.Key
	l.mu.Lock()
	for k := range l.spurned {
		if p.Contains(k) {
			here = append(here, k)
		}
	}
	l.mu.Unlock()
	if here == nil {
		return l.view.Refused(p)
	}
	for k, err := range l.view.Refused(p) {
		if err != nil {
			return l.view.Refused(p)
		}
		here = append(here, k)
	}
	slices.SortFunc(here, reconcile.Key.Compare)
	return func(yield func(reconcile.Key, error) bool) {
		for _, k := range here {
			if !yield(k, nil) {
				return
			}
		}
	}
}

func (l *link) initiatorID() peer.ID {
	if l.initiator {
		return l.n.host.ID()
	}
	return l.peer
}

// token names the link in the count of carriers: distinct for each peer and run, and worth nothing to whoever reads the disk.
func (l *link) token() uint64 {
	sum := sha256.Sum256([]byte(l.peer))
	return binary.BigEndian.Uint64(sum[:])
}

func (l *link) waitGone(ctx context.Context) {
	select {
	case <-l.gone:
	case <-ctx.Done():
	}
}

// run serves the link until it fails or ctx ends.
func (l *link) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() { l.stream.Reset() })
	defer stop()
	g.Go(func() error { return l.read(ctx) })
	g.Go(func() error { return l.loop(ctx) })
	err := g.Wait()
	if errors.Is(err, errFrame) {
		l.n.blame(l.peer, pointsFrame, err.Error())
	}
	return err
}

// read takes frames off the stream. Messages go to the door from here, at most two frames at a time for each link:
// beyond that the peer waits.
func (l *link) read(ctx context.Context) error {
	var intake errgroup.Group
	intake.SetLimit(2)
	defer intake.Wait()
	r := bufio.NewReaderSize(countReader{l.stream, &l.received}, 4096)
	for {
		kind, payload, err := readFrame(r)
		if err != nil {
			return err
		}
		if kind != frameMessages {
			if err := l.post(ctx, event{kind: kind, payload: payload}); err != nil {
				return err
			}
			continue
		}
		p, in, err := l.admit(payload)
		if err != nil {
			return err
		}
		if p == nil {
			continue // late, or never asked for: not looked at
		}
		intake.Go(func() error {
			l.takeIn(ctx, in)
			return l.post(ctx, event{kind: frameMessages, pull: p})
		})
	}
}

func (l *link) post(ctx context.Context, e event) error {
	select {
	case l.events <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// loop owns the link's state and the writing side of its stream.
func (l *link) loop(ctx context.Context) error {
	if l.initiator {
		if err := l.startRound(); err != nil {
			return err
		}
	}
	for {
		var err error
		if len(l.jobs) > 0 {
			// Answers go out a page at a time; a frame that has come in is looked at between two.
			select {
			case e := <-l.events:
				err = l.handle(ctx, e)
			case <-l.due:
				err = l.wanted()
			case <-ctx.Done():
				return ctx.Err()
			default:
				err = l.answerPage(ctx)
			}
		} else {
			select {
			case e := <-l.events:
				err = l.handle(ctx, e)
			case <-l.due:
				err = l.wanted()
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

// ask tells the loop that a round is due.
func (l *link) ask() {
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// wanted acts on being due: a round from the initiator, a nudge from the other side. One that is under way is let finish,
// unless the peer has gone silent in it.
func (l *link) wanted() error {
	if err := l.overdue(); err != nil {
		return err
	}
	if l.answering || l.pulling() {
		l.again = true
		return nil
	}
	if !l.initiator {
		return l.write(frameNudge, nil)
	}
	return l.startRound()
}

func (l *link) overdue() error {
	if l.answering && time.Since(l.roundAt) > roundTimeout {
		return fmt.Errorf("no answer in a round for %v", roundTimeout)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.pulls {
		if p.stalled() {
			return fmt.Errorf("no answer to a pull for %v", pullTimeout)
		}
	}
	return nil
}

// startRound begins a round as the initiator.
func (l *link) startRound() error {
	l.endRound()
	out := l.hello(nil)
	scope, common := l.n.scope().Meet(l.peerScope)
	if !common {
		return l.flush(out)
	}
	l.scope = scope
	var msg []byte
	err := l.n.store.View(func(v *store.View) (err error) {
		l.view = v
		msg, err = l.session.Start(scope.View(v))
		return err
	})
	if err != nil {
		return fmt.Errorf("start a round: %w", err)
	}
	payload := binary.AppendUvarint(nil, scope.Floor/reconcile.FloorStep)
	payload = binary.AppendUvarint(payload, uint64(scope.Ranks))
	out = appendFrame(out, frameRound, append(payload, msg...))
	l.answering, l.roundAt, l.messages = true, time.Now(), 1
	return l.flush(out)
}

// endRound closes the books of the last round: one that moved nothing need not be repeated while nothing changes.
func (l *link) endRound() {
	l.session.End(!l.moved)
	l.moved, l.again = false, false
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
	return appendFrame(out, frameHello, b)
}

// handle acts on one frame from the peer.
func (l *link) handle(ctx context.Context, e event) error {
	switch e.kind {
	case frameHello:
		return l.onHello(e.payload)
	case frameRound:
		return l.onRound(ctx, e.payload)
	case frameRecon:
		if !l.answering {
			return fmt.Errorf("%w: a reconciliation message outside a round", errFrame)
		}
		if len(e.payload) == 0 {
			return l.declined()
		}
		return l.onRecon(ctx, e.payload, nil)
	case framePull:
		return l.onPull(e.payload)
	case frameMessages:
		return l.tookIn(e.pull)
	case frameDone:
		return l.onDone(e.payload)
	case frameNudge:
		if !l.initiator {
			return fmt.Errorf("%w: a nudge to the side that does not start rounds", errFrame)
		}
		l.n.due(l)
		return nil
	}
	return errFrame
}

func (l *link) onHello(b []byte) error {
	var h pb.Hello
	if err := proto.Unmarshal(b, &h); err != nil {
		return fmt.Errorf("%w: hello: %v", errFrame, err)
	}
	l.peerScope = reconcile.Scope{Floor: h.OldestCreated, Ranks: uint16(h.Classes)}
	if l.initiator {
		return nil
	}
	if len(h.Salt) != len(reconcile.Salt{}) {
		return fmt.Errorf("%w: a hello with a salt of %d bytes", errFrame, len(h.Salt))
	}
	l.setSalt(reconcile.Salt(h.Salt))
	return nil
}

func (l *link) setSalt(s reconcile.Salt) {
	l.salt, l.salted = s, time.Now()
	l.session.SetSalt(s)
}

// onRound answers the first message of a round. A scope wider than what this node wants is answered by saying so.
func (l *link) onRound(ctx context.Context, b []byte) error {
	if l.initiator || l.salted.IsZero() {
		return fmt.Errorf("%w: a round from the side that does not start them, or before a hello", errFrame)
	}
	floor, n := binary.Uvarint(b)
	if n <= 0 || floor > protocol.MaxCreated/reconcile.FloorStep {
		return fmt.Errorf("%w: a round's floor", errFrame)
	}
	ranks, m := binary.Uvarint(b[n:])
	if m <= 0 || ranks > 7 {
		return fmt.Errorf("%w: a round's classes", errFrame)
	}
	l.endRound()
	scope := reconcile.Scope{Floor: floor * reconcile.FloorStep, Ranks: uint16(ranks)}
	if own, ok := l.n.scope().Meet(scope); !ok || own != scope {
		l.greeted, l.answering = false, false
		return l.flush(appendFrame(l.hello(nil), frameRecon, nil))
	}
	out := l.hello(nil)
	l.scope = scope
	l.answering, l.roundAt, l.messages = true, time.Now(), 0
	return l.onRecon(ctx, b[n+m:], out)
}

// declined ends a round that the responder would not have: its hello, which came first, says what it wants
// instead. Once for each change, so that two that cannot agree do not go round.
func (l *link) declined() error {
	if !l.initiator {
		return fmt.Errorf("%w: an empty reconciliation message", errFrame)
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
	var reply []byte
	var done bool
	err := l.n.store.View(func(v *store.View) (err error) {
		l.view = v
		reply, done, err = l.session.Receive(l.scope.View(v), msg)
		return err
	})
	if err != nil {
		if errors.Is(err, reconcile.ErrMessage) {
			return fmt.Errorf("%w: %v", errFrame, err)
		}
		return fmt.Errorf("reconcile: %w", err)
	}
	l.messages++
	l.roundAt = time.Now()
	if reply != nil {
		l.messages++
		out = appendFrame(out, frameRecon, reply)
	}
	if wants := l.session.Wants(); len(wants) > 0 {
		l.moved = true
		l.wants = append(l.wants, wants...)
	}
	if out = l.pump(out); len(out) > 0 {
		if err := l.flush(out); err != nil {
			return err
		}
	}
	if done {
		return l.roundOver(ctx)
	}
	return nil
}

// roundOver notes the end of a round.
func (l *link) roundOver(ctx context.Context) error {
	l.answering = false
	l.rounds.Add(1)
	l.lastRound.Store(time.Now().UnixMilli())
	l.equal.Store(l.messages == 2)
	if l.messages == 2 {
		l.n.credit(ctx, l) // equal sets: the peer has everything of ours
	}
	if l.session.Incomplete() {
		l.again = true
	}
	return l.rest()
}

// rest starts the next round at once if the last one left something, and nothing is under way.
func (l *link) rest() error {
	if !l.again || l.answering || l.pulling() {
		return nil
	}
	l.again = false
	if !l.initiator {
		return l.write(frameNudge, nil)
	}
	return l.startRound()
}

func (l *link) write(kind byte, payload []byte) error {
	return l.flush(appendFrame(nil, kind, payload))
}

// flush writes whole frames. Only the loop calls it.
func (l *link) flush(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := l.stream.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	n, err := l.stream.Write(b)
	l.sent.Add(uint64(n))
	return err
}

// countReader counts the bytes of a stream.
type countReader struct {
	s network.Stream
	n *atomic.Uint64
}

func (c countReader) Read(p []byte) (int, error) {
	n, err := c.s.Read(p)
	c.n.Add(uint64(n))
	return n, err
}
