package node

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/quic-go/quic-go"
	"golang.org/x/sync/errgroup"

	"longear/protocol/frame"
	"longear/protocol/reconcile"
	"longear/store"
)

const syncProtocol = libp2p.ID("/longear/sync/1")

// Times of a link.
const (
	// writeTimeout ends a link whose peer does not read: it takes less than writeLeast in that time, which is what the smallest packet carries.
	// A whole page takes a poor radio that several share a minute.
	writeTimeout = 20 * time.Second
	writeLeast   = 1 << 10
	// muxedTimeout is the same over TCP: yamux tells a writer of each 128 KiB only that they were read, which takes a poor radio half a minute.
	muxedTimeout = time.Minute
	// writeSlow is how long writing takes when the peer, or the radio, is slow.
	writeSlow = time.Second
	// roundTimeout ends a link whose peer does not answer in a round.
	roundTimeout = 20 * time.Second
	// saltLife is how long one salt serves. A chance match of short IDs, one in four billion a pair, hides a
	// message at most that long, and what was not taken for its age is asked for again.
	saltLife = 10 * time.Minute
	// roundRate and roundBurst bound the rounds that a peer may start, and with them the streams that it may open: each message of a round can
	// cost this node tens of milliseconds. An honest peer starts one in syncGap, and some in a row when much differs; it opens few streams (reopenFirst).
	roundRate  = 20.0
	roundBurst = 100.0
	// againRate bounds the rounds that this side starts at once after another, because the peer says that it left something out or wants
	// less: it might say so for ever. An honest one says so while much differs, and a round of that moves megabytes.
	againRate = 10.0
	// workRate and workBurst bound what is read from the store for one peer, in keys (store.View.Work), some 0.4 µs each on a laptop and 2 on a phone: a
	// frame of a few bytes may ask for all of it, and rounds and pulls for 65,536 keys or more each. Whoever is over it waits; it is not cut
	// off, for what it did may be honest. Honest work is far below (measured with the sets of reconcile's tests): two stores of 200,000 messages
	// that share none read 1,800,000 on either side until they are equal, 4 for each message that moves. With 190,000 in common it is 25 a
	// message, so that 4,000 a second move in the long run; a round that finds one new message reads 80; an empty store takes one a message.
	workRate  = 100_000.0
	workBurst = 4_000_000
	// workStep is the most that is counted at once: the wait for it, 10 s, is half of what a peer waits for an answer. An honest message of a round
	// takes less than half of it.
	workStep = 1_000_000
)

// link is sync with one peer over one stream: rounds of reconciliation, pulls of what is missing here, answers to
// the peer's pulls. Two goroutines serve it. The reader parses frames and takes messages in through the door. The
// loop (run) owns everything else and is the only one that writes, so that two peers can never wait for each other's readers.
type link struct {
	n         *Node
	peer      peer.ID
	stream    network.Stream
	initiator bool
	local     bool          // the peer's address is on a network at hand
	patience  time.Duration // writeTimeout or muxedTimeout
	opened    time.Time
	gone      chan struct{} // closed when the link has ended

	// events go from the reader and from those who take messages in to the loop. 64 is more than an honest peer
	// can have under way; the reader waits when it is full.
	events chan event
	// due asks the loop for a round. Of size 1: more asking is the same asking.
	due  chan struct{}
	news atomic.Bool // something has come in since the last look; set before due, cleared by the loop

	// Owned by the loop.
	session   *reconcile.Session
	view      *store.View     // during a call of session
	vetoed    []reconcile.Key // likewise; spurned, in order
	scope     reconcile.Scope
	peerScope reconcile.Scope
	salt      reconcile.Salt
	salted    time.Time
	greeted   bool // our hello is out
	answering bool // a round is under way
	roundAt   time.Time
	meter                      // the peer's: kept while it is connected, whatever becomes of the link
	spent     int              // not taken from work yet
	messages  int              // of this round, both ways
	moved     bool             // this round moved messages in either direction
	movedLast bool             // the initiator's: so did the one before, of which the peer has not said all yet
	asked     bool             // this round has been followed by a pull of ours
	again     bool             // the set may differ still: start a round when the pulls are done
	wants     []reconcile.Want // of alerts and texts
	media     mediaQueue
	jobs      []*answer
	page      int       // bytes of an answer that go out at a time
	waited    time.Time // when what took longer than writeSlow to write was out
	credited  uint64    // generation of own messages that this peer is known to have
	marked    uint64    // of the carriers, when this round began
	counted   uint64    // likewise, when the last equal round began

	mu    sync.Mutex
	pulls map[uint64]*pull // guarded by mu; open requests of ours
	seq   uint64           // guarded by mu
	fed   time.Time        // guarded by mu; when messages that were asked for came last, or a part of them
	said  time.Time        // guarded by mu; when a part of what may be an answer in a round, or stand before it, came last
	// spurned are messages of this peer's that this node does not take; true: for their age. Guarded by mu.
	spurned map[reconcile.Key]bool

	took, gave     atomic.Uint64 // messages; the node's counts have the sums
	late           atomic.Uint64 // of both, those that gossip had had its time for: what it lost
	vain           atomic.Uint32 // pulls in a row that brought nothing; set by the loop
	received, sent atomic.Uint64 // bytes of sync and gossip with this peer
	ended, rounds  atomic.Int64  // the last finished round, as time since opened, which no set clock moves; how many
	equal          atomic.Bool   // the last round found nothing
}

// event is something the loop should know: a frame from the peer, or the end of one pulled frame's intake.
type event struct {
	kind    frame.Kind
	payload []byte
	pull    *pull // for frame.Messages: the pull whose frame has been taken in
}

func newLink(n *Node, s network.Stream, initiator bool) *link {
	l := &link{
		n: n, peer: s.Conn().RemotePeer(), stream: s, initiator: initiator,
		local:    isLocalConn(s.Conn()),
		patience: writeTimeout,
		opened:   time.Now(),
		gone:     make(chan struct{}),
		events:   make(chan event, 64),
		due:      make(chan struct{}, 1),
		meter:    n.meters.of(s.Conn().RemotePeer()),
		pulls:    make(map[uint64]*pull),
		page:     pageFirst,
	}
	if !s.Conn().As(new(*quic.Conn)) {
		l.patience = muxedTimeout
	}
	l.session = reconcile.NewSession(reconcile.Config{Initiator: initiator, Refused: l.refused, NameFrom: rankMedia})
	return l
}

// refused is what this node will not take again, for the session: what this peer has offered in vain, and the dead of the store. It is asked
// for thousands of prefixes in one message.
func (l *link) refused(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	return func(yield func(reconcile.Key, error) bool) {
		first, _ := slices.BinarySearchFunc(l.vetoed, p.First(), reconcile.Key.Compare)
		for _, k := range l.vetoed[first:] {
			if !p.Contains(k) {
				break
			}
			if l.spent++; !yield(k, nil) {
				return
			}
		}
		l.view.Refused(p)(yield)
	}
}

// veto takes what has been spurned so far into account: in order, in which a place is found at once.
func (l *link) veto() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.vetoed = slices.SortedFunc(maps.Keys(l.spurned), reconcile.Key.Compare)
	l.spent += len(l.vetoed)
}

// lastRound is when the last round was over, if there has been one.
func (l *link) lastRound() time.Time { return l.opened.Add(time.Duration(l.ended.Load())) }

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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, func() { l.stream.Reset() })
	defer stop()
	g.Go(func() error { return l.read(ctx) })
	err := l.loop(ctx) // here: a goroutine's stack is a good part of an idle link
	first := ctx.Err() == nil
	cancel()
	if other := g.Wait(); !first {
		err = other
	}
	if errors.Is(err, frame.ErrFrame) {
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
	// Large frames go past the buffer, which is for the heads of frames and for the small ones of quiet rounds.
	r := bufio.NewReaderSize(countReader{l.stream, [2]*atomic.Uint64{&l.n.counts.received, &l.received}}, 512)
	for {
		kind, payload, err := frame.Read(r, l.coming)
		if err != nil {
			return err
		}
		if kind != frame.Messages {
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
			return l.post(ctx, event{kind: frame.Messages, pull: p})
		})
	}
}

// coming notes that a part of a frame is here. A whole one may take longer than a peer may be silent.
func (l *link) coming(kind frame.Kind, part []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch kind {
	case frame.Messages:
		number, _ := binary.Uvarint(part)
		if p := l.pulls[number]; p != nil && !p.ended && !p.claim {
			l.fed = time.Now()
		}
	case frame.Recon, frame.Pull:
		l.said = time.Now()
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
		// Answers go out a page at a time; whatever has come in is looked at between two.
		if len(l.jobs) > 0 && len(l.events) == 0 && len(l.due) == 0 && ctx.Err() == nil {
			err = l.answerPage(ctx)
		} else {
			select {
			case e := <-l.events:
				err = l.handle(ctx, e)
			case <-l.due:
				err = l.wanted()
			case <-l.media.ring():
				err = l.flush(l.pump(nil))
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err == nil {
			err = l.pace(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// look reads the store on behalf of the peer.
func (l *link) look(read func(*store.View) error) error {
	return l.n.store.View(func(v *store.View) error {
		defer func() { l.spent += v.Work() }()
		return read(v)
	})
}

// pace waits until what was read for the peer is within its rate.
func (l *link) pace(ctx context.Context) error {
	if l.spent == 0 {
		return nil
	}
	wait := l.work.ReserveN(time.Now(), min(l.spent, workStep)).Delay()
	l.spent = 0
	if wait > 0 && !sleep(ctx, wait) {
		return ctx.Err()
	}
	return nil
}

func (l *link) write(kind frame.Kind, payload []byte) error {
	return l.flush(frame.Append(nil, kind, payload))
}

// flush writes whole frames. Only the loop calls it.
func (l *link) flush(b []byte) error {
	began := time.Now()
	for until := began; len(b) > 0; until = time.Now() {
		if err := l.stream.SetWriteDeadline(until.Add(l.patience)); err != nil {
			return err
		}
		n, err := l.stream.Write(b)
		l.n.counts.sent.Add(uint64(n))
		l.sent.Add(uint64(n))
		b = b[n:]
		var late net.Error
		if err != nil && !(n >= writeLeast && errors.As(err, &late) && late.Timeout()) {
			return err
		}
	}
	if now := time.Now(); now.Sub(began) > writeSlow {
		l.waited = now
	}
	return nil
}

// countReader counts the bytes of a stream.
type countReader struct {
	s network.Stream
	n [2]*atomic.Uint64 // of all links, and of this one
}

func (c countReader) Read(p []byte) (int, error) {
	n, err := c.s.Read(p)
	for _, sum := range c.n {
		sum.Add(uint64(n))
	}
	return n, err
}
