package wifidirect

import (
	"context"
	"errors"
	"slices"
	"time"
)

// airSession is an open radio of an air.
type airSession struct {
	r      *AirRadio
	events chan Event
	closed bool
}

// Open implements [Radio].
func (r *AirRadio) Open(context.Context) (Session, error) {
	r.air.mu.Lock()
	defer r.air.mu.Unlock()
	if r.trouble != nil {
		return nil, r.trouble
	}
	if r.session != nil {
		return nil, &Trouble{Reason: InUse, Text: "the radio is open already"}
	}
	r.session = &airSession{r: r, events: make(chan Event, 256)} // far more than an agent leaves unread
	r.record, r.seeking = Record{}, time.Time{}
	return r.session, nil
}

// tell runs with mu held. When the agent does not read, what does not fit is lost, as on a real bus.
func (s *airSession) tell(e Event) {
	if s == nil || s.closed {
		return
	}
	select {
	case s.events <- e:
	default:
	}
}

// end runs with mu held.
func (s *airSession) end() {
	if !s.closed {
		s.closed = true
		close(s.events)
	}
}

// Events implements [Session].
func (s *airSession) Events() <-chan Event { return s.events }

// Close implements [Session].
func (s *airSession) Close() error {
	s.r.air.mu.Lock()
	defer s.r.air.mu.Unlock()
	if s.r.session == s {
		s.r.part()
		s.r.session = nil
	}
	s.end()
	return nil
}

// Do implements [Session].
func (s *airSession) Do(_ context.Context, o Order) error {
	r := s.r
	r.air.mu.Lock()
	defer r.air.mu.Unlock()
	if r.session != s {
		return errors.New("the radio is closed")
	}
	switch o := o.(type) {
	case Advertise:
		r.record = o.Record
	case Seek:
		r.seeking = time.Now().Add(o.For)
		r.look()
	case Rest:
		r.seeking = time.Time{}
	case Host:
		r.round++
		round := r.round
		r.after(r.air.draw(airHost), func() {
			if r.round != round {
				return
			}
			r.host = o
			s.tell(Started{Group{Iface: "air", Owner: true, Local: OwnerAddr}})
		})
	case Join:
		r.join(o)
	case Leave:
		r.round++ // what is on its way comes to nothing
		r.leave()
	}
	return nil
}

// leave runs with mu held. The owner's end is polite: members are told at once.
func (r *AirRadio) leave() {
	for _, m := range slices.Clone(r.air.radios) {
		if r.host.Name != "" && m.owner == r && r.air.reach(m.device, r.device) {
			m.owner, m.out = nil, false
			m.session.tell(Ended{})
		}
	}
	r.part()
}

// look runs with mu held: the radio asks who is there, one after the other, and again while it seeks.
func (r *AirRadio) look() {
	r.round++
	r.ask(r.inReach(), r.air.draw(airAnswer))
}

// inReach runs with mu held: who would answer now, in the order of chance.
func (r *AirRadio) inReach() (list []*AirRadio) {
	now := time.Now()
	for _, o := range r.air.radios {
		if o != r && o.session != nil && o.answers(now) && r.air.reach(r.device, o.device) {
			list = append(list, o)
		}
	}
	r.air.dice.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// answers runs with mu held.
func (r *AirRadio) answers(now time.Time) bool {
	return (r.host.Name != "" || r.seeking.After(now)) && r.record.Peer != ""
}

// ask runs with mu held: the first of the list answers after a while, and then the next is asked.
func (r *AirRadio) ask(list []*AirRadio, wait time.Duration) {
	round := r.round
	if len(list) == 0 {
		wait = airSweep
	}
	r.after(wait, func() {
		now := time.Now()
		if r.seeking.Before(now) || r.round != round {
			return
		}
		if len(list) == 0 {
			r.ask(r.inReach(), r.air.draw(airAnswer))
			return
		}
		o := list[0]
		if o.session != nil && o.answers(now) && r.air.reach(r.device, o.device) {
			r.heard[o.device] = now
			r.session.tell(Heard{Device: o.device, Record: o.record})
		}
		if list = list[1:]; len(list) == 0 {
			list = r.inReach()
		}
		r.ask(list, r.air.draw(airNext))
	})
}

// find runs with mu held.
func (a *Air) find(d Device) *AirRadio {
	if i := slices.IndexFunc(a.radios, func(r *AirRadio) bool { return r.device == d }); i >= 0 {
		return a.radios[i]
	}
	return nil
}

// takes runs with mu held: whether a radio's group lets another in.
func (r *AirRadio) takes(j Join) bool {
	n := r.air.members(r)
	full := r.limit > 0 && n >= r.limit || r.host.Limit > 0 && n >= r.host.Limit
	return r.host.Name == j.Name && j.Name != "" && r.host.Passphrase == j.Passphrase && !full
}

// join runs with mu held.
func (r *AirRadio) join(j Join) {
	r.seeking = time.Time{}
	r.round++
	round, o := r.round, r.air.find(j.Owner)
	if o == nil {
		r.after(airFail, func() { r.session.tell(Failed{Err: errors.New("no such group")}) })
		return
	}
	wait := r.air.draw(airJoinCold)
	if time.Since(r.heard[j.Owner]) < airWarm && o.joining == 0 {
		wait = r.air.draw(airJoin)
	}
	o.joining++
	time.AfterFunc(wait, func() { // even if this radio is gone by then
		r.air.mu.Lock()
		defer r.air.mu.Unlock()
		o.joining--
	})
	r.after(wait, func() {
		switch {
		case r.round != round: // it was told something else meanwhile
		case o.takes(j) && r.air.reach(r.device, o.device):
			r.owner, r.out = o, false
			r.session.tell(Started{Group{Iface: "air", Hub: OwnerAddr}})
			o.session.tell(Members{N: r.air.members(o)})
		default:
			r.after(airFail-wait, func() {
				if r.round == round {
					r.session.tell(Failed{Err: errors.New("no such group")})
				}
			})
		}
	})
}
