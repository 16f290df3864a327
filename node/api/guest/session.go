package guest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"sync"
	"time"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/reconcile"
	"longear/store"
)

// session compares a page's messages with the hub's, in turns: each request is a turn of the page's, each answer one of
// ours. The page is the initiator.
type session struct {
	mu   sync.Mutex // held for a turn; a second request meanwhile is refused
	used time.Time  // guarded by the mu of sessions
	turn uint64     // likewise; the number of its last request

	// Guarded by mu.
	recon *reconcile.Session
	salt  reconcile.Salt
	view  *store.View // only within a step of recon
	scope reconcile.Scope
	began bool // a round was begun
	moved bool // something was pulled in it
	wants []reconcile.Want
	pulls map[uint64]frame.Request // ours that are open; at most pullsOpen
	last  uint64                   // number of our last pull
}

func newSession(salt reconcile.Salt) *session {
	s := &session{salt: salt, pulls: make(map[uint64]frame.Request)}
	s.recon = reconcile.NewSession(reconcile.Config{Salt: salt, Refused: func(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
		return s.view.Refused(p)
	}})
	return s
}

// turn is what a request asks of the session, and its answer in the making.
type turn struct {
	*session
	hub   *Server
	from  netip.Addr
	out   []byte
	taken []protocol.CarryRecord // what the page brought of what was asked of it
	pages int                    // bytes of messages in the answer
	work  int                    // what was read for the page's pulls
	told  frame.End              // where a pull may go on: the last key that was looked at for it; no More if there is none
	count int                    // pulls of the page's
	steps int                    // reconciliation messages of the page's
	parts int                    // frames of the page's
}

// frame acts on one frame of the page's.
func (t *turn) act(kind frame.Kind, payload []byte) error {
	if t.parts++; t.parts > maxFrames {
		return fmt.Errorf("%w: more than %d frames in one request", frame.ErrFrame, maxFrames)
	}
	if kind == frame.Round || kind == frame.Recon {
		// Each may be much work, and a page cannot know what to say next before it is answered.
		if t.steps++; t.steps > 1 {
			return fmt.Errorf("%w: a second reconciliation message in one request", frame.ErrFrame)
		}
	}
	switch kind {
	case frame.Round:
		return t.round(payload)
	case frame.Recon:
		if !t.began || len(payload) == 0 {
			return fmt.Errorf("%w: a reconciliation message outside a round", frame.ErrFrame)
		}
		return t.recvRecon(payload)
	case frame.Pull:
		return t.answerPull(payload)
	case frame.Messages:
		return t.takeIn(payload)
	case frame.Done:
		return t.ended(payload)
	}
	return fmt.Errorf("%w: frame type %d is for streams", frame.ErrFrame, kind)
}

// round begins a round within the scope that the page asks for. If the hub wants less, it says so instead.
func (t *turn) round(b []byte) error {
	scope, msg, err := frame.SplitScope(b)
	if err != nil {
		return err
	}
	if t.began {
		t.recon.End(!t.moved)
	}
	t.began, t.moved, t.wants = false, false, nil
	clear(t.pulls)
	wanted := t.hub.cfg.Around.Scope()
	own, common := wanted.Meet(scope)
	if !common {
		own = wanted // there is nothing to compare, and the page sees why
	}
	if !common || own != normal(scope) {
		t.out = frame.Append(t.out, frame.Round, frame.AppendScope(nil, own))
		return nil
	}
	t.scope, t.began = scope, true
	return t.recvRecon(msg)
}

// normal is a scope with its ranks spelt out, as Meet returns it.
func normal(s reconcile.Scope) reconcile.Scope {
	s, _ = s.Meet(reconcile.Scope{Ranks: frame.AllRanks})
	return s
}

// recvRecon advances the round by one message.
func (t *turn) recvRecon(msg []byte) error {
	var reply []byte
	err := t.hub.cfg.Store.View(func(v *store.View) (err error) {
		t.view = v
		defer func() { t.view = nil }()
		reply, _, err = t.recon.Receive(t.scope.View(v), msg)
		return err
	})
	if errors.Is(err, reconcile.ErrMessage) {
		return fmt.Errorf("%w: %w", frame.ErrFrame, err)
	}
	if err != nil {
		return fmt.Errorf("reconcile with a guest: %w", err)
	}
	if reply != nil {
		t.out = frame.Append(t.out, frame.Recon, reply)
	}
	for _, w := range t.recon.Wants() {
		t.moved = true
		t.wants = append(t.wants, w.ByRank()...)
	}
	t.wants, _ = reconcile.Keep(t.wants, wantsMost, shortsMost)
	return nil
}

// pump asks for what is wanted, most urgent first.
func (t *turn) pump() {
	for len(t.wants) > 0 && len(t.pulls) < pullsOpen {
		var p frame.Request
		shorts := 0
		for len(t.wants) > 0 && len(p.Wants) < pullWants && shorts < pullShorts {
			w := t.wants[0]
			t.wants[0] = reconcile.Want{} // the array stays while others are in it
			t.wants = t.wants[1:]
			p.Wants = append(p.Wants, w)
			if shorts += len(w.Short); w.Whole {
				break // it may be large
			}
		}
		t.ask(p)
	}
}

func (t *turn) ask(p frame.Request) {
	t.last++
	p.Number = t.last
	t.pulls[p.Number] = p
	t.out = frame.Append(t.out, frame.Pull, p.Append(nil))
}

// takeIn collects what the page brings. Only what was asked for is looked at.
func (t *turn) takeIn(b []byte) error {
	number, n := binary.Uvarint(b)
	if n <= 0 {
		return fmt.Errorf("%w: a messages frame's number", frame.ErrFrame)
	}
	if _, open := t.pulls[number]; !open {
		return nil
	}
	records, err := parseRecords(b[n:], protocol.MaxFrame/protocol.MinMessage)
	if err != nil {
		return fmt.Errorf("%w: %w", frame.ErrFrame, err)
	}
	t.taken = append(t.taken, records...)
	return nil
}

// ended closes a pull of ours, or goes on with it where the answer ended.
func (t *turn) ended(b []byte) error {
	d, err := frame.ParseEnd(b)
	if err != nil {
		return err
	}
	p, open := t.pulls[d.Number]
	if !open {
		return nil
	}
	delete(t.pulls, d.Number)
	next, more, err := d.Next(p)
	if more {
		t.ask(next)
	}
	return err
}

// answerPull sends what the page asks for, as much as one answer may hold.
func (t *turn) answerPull(b []byte) error {
	p, err := frame.ParseRequest(b)
	if err != nil {
		return err
	}
	if t.count++; t.count > pullsEach {
		return fmt.Errorf("%w: more than %d pulls in one request", frame.ErrFrame, pullsEach)
	}
	t.moved = true
	d := frame.End{Number: p.Number, Below: p.Below}
	t.told = frame.End{Number: p.Number}
	for {
		page := binary.AppendUvarint(make([]byte, 0, pageBytes+4096), p.Number)
		head := len(page)
		err := t.hub.cfg.Store.View(func(v *store.View) error {
			page, err = t.fill(page, v, p, &d)
			t.work += v.Work()
			return err
		})
		if errors.Is(err, reconcile.ErrBroad) {
			return fmt.Errorf("%w: %w", frame.ErrFrame, err)
		}
		if err != nil {
			return fmt.Errorf("answer a guest's pull: %w", err)
		}
		if len(page) > head {
			t.out = frame.Append(t.out, frame.Messages, page)
			t.pages += len(page)
		}
		if !d.More {
			t.told.More = false
		}
		if !d.More || t.pages >= answerMost || t.work >= workMost {
			t.out = frame.Append(t.out, frame.Done, t.told.Append(nil))
			return nil
		}
	}
}

// fill reads a page of an answer and moves d behind it.
func (t *turn) fill(page []byte, v *store.View, p frame.Request, d *frame.End) ([]byte, error) {
	local := isLocal(t.from)
	start := len(page)
	d.More = false
	for first := d.At; d.At < len(p.Wants); d.At++ {
		if d.More = d.At > first && t.work+v.Work() >= workMost; d.More {
			return page, nil
		}
		for e, err := range v.Asked(t.salt, p.Wants[d.At], d.Below) {
			if err != nil {
				return nil, err
			}
			// A page must not end before its first record: an answer that is full already would go on where it was.
			spent := t.told.More && p.Wants[d.At].Whole && t.work+v.Work() >= workMost
			if d.More = len(page) >= pageBytes || t.pages >= answerMost && len(page) > start || spent; d.More {
				return page, nil
			}
			d.Below = e.Key()
			t.told = frame.End{Number: p.Number, More: true, At: d.At, Below: d.Below}
			if e.Message.Flags&protocol.LocalOnly != 0 && !local {
				continue
			}
			page = frame.AppendRecord(page, uint64(max(e.Age.Milliseconds(), 0)), e.Message.Wire())
		}
		d.Below = reconcile.Key{}
	}
	return page, nil
}
