package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"longear/protocol"
	"longear/store"
)

// Tally is what authors answer to one message, of the responses that are kept here. Keys are counted, not people.
type Tally struct {
	Confirms    int   `json:"confirms"`
	Contradicts int   `json:"contradicts"`
	Signs       int   `json:"signs"`
	Votes       []int `json:"votes,omitempty"` // for each option of a poll
	Voters      int   `json:"voters"`
	// Reactions are the most frequent, at most 8; how many keys react with others is MoreReactions.
	Reactions     []protocol.Reaction `json:"reactions,omitempty"`
	MoreReactions int                 `json:"more_reactions,omitempty"`
	// AtLeast says that there were too many to look at all of them: the true numbers are these or more.
	AtLeast bool `json:"at_least,omitempty"`
}

// Empty reports that nobody has answered.
func (t *Tally) Empty() bool {
	return t.Confirms+t.Contradicts+t.Signs+t.Voters+len(t.Reactions)+t.MoreReactions == 0
}

// Opener gives the plain body of a message in a channel with a key; false if it does not open.
type Opener func(*protocol.Message) ([]byte, bool)

// Tallies counts answers for those who show messages. What took long to count is not counted again for a while, so that a message
// with ten thousand answers, honest or not, costs whoever shows it a thousandth of a core. It is safe for concurrent use.
type Tallies struct {
	store *store.Store
	mutes *store.Mutes
	turn  chan struct{} // of size 1: one count at a time; who waits finds it made

	mu   sync.Mutex
	made map[protocol.ID]tallied // guarded by mu; at most maxTallies
}

// tallied is a count that was dear.
type tallied struct {
	Tally
	until time.Time
	mutes uint64 // the generation of the list of muted authors
}

const (
	// A count of fewer answers is not kept. It goes by their number and not by the time it took: on a busy machine a handful would be
	// dear, and what was just answered would not be seen.
	tallyDear    = 256
	tallyEach    = time.Millisecond // a count is good for so long an answer, a thousand times what reading one takes
	tallyLongest = 10 * time.Second // and never longer
	maxTallies   = 1 << 10
	maxReactions = 8
)

// NewTallies counts what a store keeps, but not what muted authors say. mutes may be nil.
func NewTallies(s *store.Store, mutes *store.Mutes) *Tallies {
	return &Tallies{store: s, mutes: mutes, turn: make(chan struct{}, 1), made: map[protocol.ID]tallied{}}
}

// Of counts the answers to a message. open is nil for a public channel, where answers are read as they are.
func (t *Tallies) Of(ctx context.Context, m *protocol.Message, open Opener) (Tally, error) {
	if known, ok := t.known(m.ID); ok {
		return known, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return Tally{}, ctx.Err()
	}
	if known, ok := t.known(m.ID); ok {
		return known, nil
	}
	gen := t.mutes.Generation() // as of before: if the list changes meanwhile the count is not good
	out, answers, err := t.count(m, open)
	if err == nil && answers > tallyDear {
		t.keep(m.ID, tallied{out, time.Now().Add(min(time.Duration(answers)*tallyEach, tallyLongest)), gen})
	}
	return out, err
}

// Forget makes the next count of a message a new one: somebody has answered who wants to see it.
func (t *Tallies) Forget(id protocol.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.made, id)
}

func (t *Tallies) known(id protocol.ID) (Tally, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.made[id]
	return k.Tally, ok && k.mutes == t.mutes.Generation() && time.Now().Before(k.until)
}

func (t *Tallies) keep(id protocol.ID, k tallied) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.made) >= maxTallies {
		clear(t.made)
	}
	t.made[id] = k
}

// count also says how many answers it looked at.
func (t *Tallies) count(m *protocol.Message, open Opener) (out Tally, answers int, err error) {
	sum := protocol.NewTally(m.Kind, PollOf(m, open))
	for a, err := range t.store.Answers(m.ID, m.Channel) {
		if errors.Is(err, store.ErrManyAnswers) {
			sum.AtLeast = true
			break
		}
		if err != nil {
			return Tally{}, 0, err
		}
		answers++
		if t.mutes.Hides(a.Author) {
			continue
		}
		if answer, ok := t.Read(a, open); ok {
			sum.Count(answer)
		}
	}
	out = Tally{
		Confirms: sum.Confirms, Contradicts: sum.Contradicts, Signs: sum.Signs, Votes: sum.Votes, Voters: sum.Voters,
		Reactions: sum.Frequent(maxReactions), AtLeast: sum.AtLeast,
	}
	for _, n := range sum.Reactions {
		out.MoreReactions += n
	}
	for _, r := range out.Reactions {
		out.MoreReactions -= r.Count
	}
	return out, answers, nil
}

// Read is what an author answers; ok is false if it is malformed, or does not open. open is as in Of.
func (t *Tallies) Read(a store.Answer, open Opener) (protocol.Answer, bool) {
	if open == nil {
		return protocol.ParseAnswer(a.Body)
	}
	if a.Body != nil { // too short to be sealed: anybody may have written it
		return protocol.Answer{}, false
	}
	e, err := t.store.Get(a.ID)
	if err != nil {
		return protocol.Answer{}, false
	}
	body, ok := open(e.Message)
	if !ok {
		return protocol.Answer{}, false
	}
	return protocol.ParseAnswer(body)
}

// PollOf is the poll that a message is; nil if it is none, is malformed or does not open.
func PollOf(m *protocol.Message, open Opener) *protocol.Poll {
	if m.Kind != protocol.KindPoll {
		return nil
	}
	body := m.Body
	if open != nil {
		var ok bool
		if body, ok = open(m); !ok {
			return nil
		}
	}
	p, ok := protocol.ParsePoll(body)
	if !ok {
		return nil
	}
	return &p
}
