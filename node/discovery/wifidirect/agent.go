package wifidirect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Config says what an agent needs. [New] copies it.
type Config struct {
	Radio      Radio           // required
	Self       string          // our peer ID, required
	Port       func() uint16   // where our node listens, TCP; required. Nothing is said of us while it is zero
	Digest     func() [8]byte  // of our store; nil: it is not said, and we are nobody's ferry. It must not block
	Neighbours func() []string // peer IDs with a link now; required. It must not block

	Hub     bool        // we stand still and have power: own a group at once and for good
	Battery func() bool // whether to seek in bursts; nil: there is power
	Places  int         // how many may join; 0 means 8, which is what phones can do, or 16 with Hub
	Tag     string      // names the group; "" takes a new name for each group. See [GroupName]
	Circle  string      // a word that a circle of people agrees on; "" is the public circle

	Up     func(Group, Record) // a group is up; a member also gets its owner's record
	Down   func(Group)         // it is gone: undo what Up did
	Report func(Status)        // something changed; nil: nobody wants to know
	Log    *slog.Logger        // nil: silent
}

// State is what the agent is doing.
type State string

// The states.
const (
	Seeking State = "seeking"
	Resting State = "resting"
	Joining State = "joining"
	Member  State = "member"
	Hosting State = "hosting"
	Blocked State = "blocked"
)

// Status is the agent for people.
type Status struct {
	State   State
	Detail  string   // "3 joined, 5 places free"
	Trouble *Trouble // why it is blocked; nil otherwise
}

// Agent decides what the radio does. Make it with [New], run it with [Agent.Run].
type Agent struct {
	cfg  Config
	last Status // what was reported; it belongs to Run
}

// New returns an agent that does nothing until Run.
func New(cfg Config) (*Agent, error) {
	switch {
	case cfg.Radio == nil:
		return nil, errors.New("wifidirect: Config.Radio is nil")
	case cfg.Self == "" || len(cfg.Self) > maxPeerText:
		return nil, errors.New("wifidirect: Config.Self is no peer ID")
	case cfg.Port == nil || cfg.Neighbours == nil:
		return nil, errors.New("wifidirect: Config.Port or Config.Neighbours is nil")
	}
	if cfg.Places <= 0 {
		cfg.Places = 8
		if cfg.Hub {
			cfg.Places = 16
		}
	}
	if cfg.Digest == nil {
		cfg.Digest = func() [8]byte { return [8]byte{} }
	}
	if cfg.Battery == nil {
		cfg.Battery = func() bool { return false }
	}
	if cfg.Up == nil {
		cfg.Up = func(Group, Record) {}
	}
	if cfg.Down == nil {
		cfg.Down = func(Group) {}
	}
	if cfg.Report == nil {
		cfg.Report = func(Status) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Agent{cfg: cfg}, nil
}

const (
	// A radio that cannot be used is tried again: a service restarts in seconds, and a person who mends things waits for it.
	firstReopen = 2 * time.Second
	maxReopen   = 10 * time.Second
	// farewell is how long the end may take: a group that is left politely is noticed at once, one that is not after seconds.
	farewell = 3 * time.Second
	// healthy is how long a session must last before the next trouble counts as the first.
	healthy = 10 * time.Second
)

// Run keeps the radio until ctx ends, leaves the group and returns nil. Trouble with the radio is reported and tried
// again; it is no reason to return.
func (a *Agent) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		err := a.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > healthy {
			failures = 0
		}
		a.blocked(err)
		t := time.NewTimer(jitter(min(firstReopen<<min(failures, 8), maxReopen)))
		failures++
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

func (a *Agent) blocked(err error) {
	t, ok := errors.AsType[*Trouble](err)
	if !ok {
		t = &Trouble{Reason: Broken, Text: fmt.Sprint(err)}
	}
	a.report(Status{State: Blocked, Trouble: t})
}

func (a *Agent) report(s Status) {
	if s.State != a.last.State {
		a.cfg.Log.Info("wi-fi direct", "state", string(s.State), "detail", s.Detail, "err", troubleText(s.Trouble))
	}
	if s.State != a.last.State || s.Detail != a.last.Detail || troubleText(s.Trouble) != troubleText(a.last.Trouble) {
		a.last = s
		a.cfg.Report(s)
	}
}

func troubleText(t *Trouble) string {
	if t == nil {
		return ""
	}
	return t.Error()
}

// session runs the policy on an open radio until the radio or ctx ends. It returns why the radio ended.
func (a *Agent) session(ctx context.Context) (err error) {
	s, err := a.cfg.Radio.Open(ctx)
	if err != nil {
		return err
	}
	m := newMind(&a.cfg)
	defer func() {
		a.lower(m)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if m.inGroup() {
			_ = s.Do(last, Leave{}) // the radio may be gone; the next run removes what is left
		}
		err = errors.Join(err, s.Close())
	}()
	m.start(time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-s.Events():
			if !ok {
				return &Trouble{Reason: NoSupplicant, Text: "the program that drives the radio went away", Fix: "it is tried again by itself"}
			}
			m.hear(e, time.Now())
		case <-timer.C:
		}
		next := m.think(time.Now())
		if err := a.act(ctx, s, m); err != nil {
			return err
		}
		if m.trouble != nil {
			return m.trouble
		}
		timer.Reset(max(time.Until(next), 10*time.Millisecond))
	}
}

// act carries out what the mind wants, until it wants nothing more.
func (a *Agent) act(ctx context.Context, s Session, m *mind) error {
	for len(m.orders) > 0 {
		o := m.orders[0]
		m.orders = m.orders[1:]
		if _, leaving := o.(Leave); leaving {
			a.lower(m)
		}
		a.report(m.status())
		if err := s.Do(ctx, o); err != nil {
			if _, hard := errors.AsType[*Trouble](err); hard {
				return err
			}
			a.cfg.Log.Debug("wi-fi direct", "err", err.Error())
			m.refused(o, err, time.Now())
		}
	}
	if m.group != nil && !m.raised {
		m.raised = true
		a.cfg.Up(*m.group, m.ownerRecord())
	}
	if m.lost != nil {
		a.lower(m)
	}
	a.report(m.status())
	return nil
}

// lower undoes Up, once for each group.
func (a *Agent) lower(m *mind) {
	for _, g := range []*Group{m.lost, m.group} {
		if g != nil && m.raised {
			m.raised = false
			a.cfg.Down(*g)
		}
	}
	m.lost = nil
}

// jitter spreads d by 40 % both ways: devices that were switched on together must not stay in step.
func jitter(d time.Duration) time.Duration {
	return d*6/10 + rand.N(d*8/10+1)
}
