package reconcile

import (
	"errors"
	"iter"
)

// ErrMessage is returned by [Session.Receive] for a message that no honest peer sends. The link should be closed.
var ErrMessage = errors.New("malformed reconcile message")

// ErrInitiator is returned by [Session.Start] on the side that does not start rounds.
var ErrInitiator = errors.New("only the initiator starts a round")

// Config is what a session needs to know. It is copied.
type Config struct {
	// Salt is shared by both ends of the link.
	Salt Salt
	// Initiator is true on the one end that starts rounds.
	Initiator bool
	// Refused ranges over the keys under a prefix, in any order, which this node lacks and will not take again (expired, muted,
	// evicted). They are left out of wants. Nil means none.
	Refused func(Prefix) iter.Seq2[Key, error]
	// NameFrom is the first rank of which this node wants no prefix as a whole, but each key by its short ID: what is large is then
	// fetched from several peers. 0 means none.
	NameFrom uint8
}

// Session compares this node's set with a peer's, over one link, in rounds. It is not safe for concurrent use.
//
// The initiator sends what Start returns; then each side passes what it receives to Receive and sends the reply if there
// is one, until done. After each Receive the caller drains Wants and pulls them. When the round is done and the pulls are over, both
// sides call End.
type Session struct {
	cfg        Config
	open       bool // a round is under way
	steps      int  // messages of the round so far, both ways
	incomplete bool // one of them left something out
	equal      bool // the round found equal sets
	wants      []Want
	wanted     int // size of wants, at most maxWants
	settled    settled
}

// NewSession returns a session with no round under way.
func NewSession(c Config) *Session { return &Session{cfg: c} }

// Start begins a round and returns its first message. Only the initiator may call it. A round under way is dropped.
func (s *Session) Start(nodes Nodes) ([]byte, error) {
	if !s.cfg.Initiator {
		return nil, ErrInitiator
	}
	sum, err := sumUnder(nodes, Prefix{})
	if err != nil {
		return nil, err
	}
	s.begin()
	w := writer{buf: make([]byte, headSize, 32)}
	w.add(&item{kind: kindRoot, count: sum.count, root: s.cfg.Salt.root(sum.hash)})
	return w.buf, nil
}

func (s *Session) begin() {
	s.open, s.steps, s.incomplete, s.equal = true, 1, false, false
	s.settled.drop()
}

// Receive takes a message from the peer. It returns the reply to send, nil if none is due, and whether the round is over (once
// the reply is sent). An error that is [ErrMessage] is the peer's fault, any other comes from nodes or Config.Refused; after either
// no round is under way. nodes may show a newer set than it did for the last message.
func (s *Session) Receive(nodes Nodes, msg []byte) (reply []byte, done bool, err error) {
	asked, err := s.admit(msg)
	if err != nil {
		s.open = false
		return nil, false, err
	}
	a := answer{s: s, nodes: nodes, out: writer{buf: make([]byte, headSize, 128)}}
	if err := items(msg[headSize:], a.item); err != nil {
		s.open = false
		return nil, false, err
	}
	if !asked {
		s.incomplete = s.incomplete || a.left
		s.open = false
		return nil, true, nil
	}
	s.steps++
	if a.out.asks && s.steps >= MaxSteps {
		a.out, a.left = writer{buf: a.out.buf[:headSize]}, true
	}
	if a.left {
		s.incomplete = true
		a.out.buf[0] |= flagIncomplete
	}
	s.settled.sent(a.left)
	s.open = a.out.asks
	return a.out.buf, !s.open, nil
}

// admit checks a message as a whole, before any of it is acted on, and reports whether it asks for a reply.
func (s *Session) admit(msg []byte) (asks bool, err error) {
	if len(msg) < headSize || len(msg) > MaxMessage || msg[0]&^(flagIncomplete|flagEqual) != 0 {
		return false, ErrMessage
	}
	roots, others := 0, 0
	err = items(msg[headSize:], func(it *item) error {
		if it.kind == kindRoot {
			roots++
		} else {
			others++
			s.settled.hear(it)
		}
		asks = asks || it.kind.asks()
		return nil
	})
	if err != nil {
		return false, err
	}
	if roots > 0 {
		if s.cfg.Initiator || roots > 1 || others > 0 {
			return false, ErrMessage
		}
		s.begin()
	} else if s.steps++; !s.open || s.steps > MaxSteps {
		return false, ErrMessage
	}
	if msg[0]&flagEqual != 0 {
		if roots+others > 0 || !s.cfg.Initiator || s.steps != 2 || msg[0] != flagEqual {
			return false, ErrMessage
		}
		s.equal = true
	}
	incomplete := msg[0]&flagIncomplete != 0
	s.incomplete = s.incomplete || incomplete
	s.settled.heard(incomplete)
	return asks, nil
}

// Wants returns, and forgets, what was found to be missing here, in the order it should be pulled: alerts, then text, then media,
// newest first.
func (s *Session) Wants() []Want {
	out := orderWants(s.wants)
	s.wants, s.wanted = nil, 0
	return out
}

// Incomplete reports whether either side left out something in the last round, so that another round should follow soon.
func (s *Session) Incomplete() bool { return s.incomplete }

// Equal reports whether the last round found the two sets equal. Sets that differ only by what was settled are not.
func (s *Session) Equal() bool { return s.equal }

// End closes a round. quiet says that no message moved in either direction because of it: then what differed is
// remembered and passed over in later rounds, until it changes on either side or the salt does.
func (s *Session) End(quiet bool) {
	s.Close()
	s.Settle(quiet)
}

// Close is End where the peer may not have asked yet for what the round showed it. The initiator starts the next round; what the peer says in
// it comes after all that it asks for because of this one, and Settle before it is passed to Receive.
func (s *Session) Close() {
	if s.open {
		s.settled.drop()
	}
	s.settled.close(s.incomplete)
	s.open = false
}

// Settle says of the round that was closed last whether it was quiet: see End.
func (s *Session) Settle(quiet bool) { s.settled.decide(quiet) }

// SetSalt changes the salt, between rounds and on both ends alike, and forgets what was settled under the old one.
func (s *Session) SetSalt(salt Salt) {
	s.cfg.Salt = salt
	s.open = false
	s.settled = settled{}
}
