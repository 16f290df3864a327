package wifidirect

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Air joins in-process radios, for tests and simulations. Its delays are what real supplicants on simulated radios took. It
// moves no data: who is in whose group is told by [Air.Owner] and [Air.Groups].
type Air struct {
	mu     sync.Mutex // guards the fields below and those of the radios
	reach  func(a, b Device) bool
	radios []*AirRadio
	dice   *rand.Rand
}

// span is a delay of the air, from its least to its most.
type span struct{ least, most time.Duration }

// The delays of the air, as measured.
var (
	airHost     = span{80 * time.Millisecond, 250 * time.Millisecond}
	airAnswer   = span{300 * time.Millisecond, 900 * time.Millisecond} // of the first device that is asked
	airNext     = span{350 * time.Millisecond, 600 * time.Millisecond} // of each other: 9 answer in 4 to 6 s, 19 in 10
	airJoin     = span{430 * time.Millisecond, 600 * time.Millisecond}
	airJoinCold = span{3500 * time.Millisecond, 4500 * time.Millisecond} // not heard lately, or another joins too: a full scan
	airSilent   = span{1700 * time.Millisecond, 1800 * time.Millisecond} // until a member notices that its owner is gone
	airEnd      = span{10900 * time.Millisecond, 11800 * time.Millisecond}
)

const (
	airFail  = 10 * time.Second // the supplicant's own limit
	airWarm  = 5 * time.Second
	airSweep = time.Second // until a radio that hears nobody looks again
)

// NewAir returns an air in which devices hear each other where reach says so; nil: everywhere. Its answers change in [Air.Edit] only.
// It is called with a lock held and must not call the air.
func NewAir(reach func(a, b Device) bool) *Air {
	if reach == nil {
		reach = func(Device, Device) bool { return true }
	}
	return &Air{reach: reach, dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
}

// Seed makes the delays from now on those of a seed.
func (a *Air) Seed(seed uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dice = rand.New(rand.NewPCG(seed, 0x61697264))
}

// draw runs with mu held.
func (a *Air) draw(s span) time.Duration {
	return s.least + time.Duration(a.dice.Int64N(int64(s.most-s.least)+1))
}

// AirRadio is one radio of an air.
type AirRadio struct {
	air    *Air
	device Device

	session *airSession
	trouble *Trouble // what Open says
	limit   int      // most members; 0: no limit
	record  Record
	seeking time.Time // until when
	round   int       // of seeking; an earlier one's questions end
	host    Host      // name is "" while it owns no group
	owner   *AirRadio // of the group it is in
	out     bool      // it does not hear its owner
	joining int       // devices that are joining its group now
	heard   map[Device]time.Time
}

// Radio returns a new radio.
func (a *Air) Radio(d Device) *AirRadio {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &AirRadio{air: a, device: d, heard: make(map[Device]time.Time)}
	a.radios = append(a.radios, r)
	return r
}

// Owner is whose group a device is in and can use now: its own, or that of an owner in reach.
func (a *Air) Owner(d Device) (Device, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.radios {
		switch {
		case r.device != d:
		case r.host.Name != "":
			return d, true
		case r.owner != nil && a.reach(d, r.owner.device) && r.owner.host.Name != "":
			return r.owner.device, true
		}
	}
	return "", false
}

// AirMember is a device in a group, or its owner.
type AirMember struct {
	Device, Owner Device
	Name          string // of the group; "" if its owner has ended it and this member has not noticed
	Hears         bool   // the owner is in reach
}

// Groups calls f for every device that is in a group by its own lights, owners too, in the order in which the radios were made.
// It holds the lock that reach is called with.
func (a *Air) Groups(f func(AirMember)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.radios {
		if r.host.Name != "" {
			f(AirMember{Device: r.device, Owner: r.device, Name: r.host.Name, Hears: true})
		}
		if o := r.owner; o != nil {
			f(AirMember{Device: r.device, Owner: o.device, Name: o.host.Name, Hears: o.host.Name != "" && a.reach(r.device, o.device)})
		}
	}
}

// Break ends the radio's session as a program that dies does, and lets nobody open it until Break(nil).
func (r *AirRadio) Break(why *Trouble) {
	r.air.mu.Lock()
	defer r.air.mu.Unlock()
	if r.trouble = why; why == nil {
		return
	}
	r.part()
	if s := r.session; s != nil {
		r.session = nil
		s.end()
	}
}

// Limit sets how many members the radio takes.
func (r *AirRadio) Limit(n int) {
	r.air.mu.Lock()
	defer r.air.mu.Unlock()
	r.limit = n
}

// Kill ends the radio's group as another program on its machine does.
func (r *AirRadio) Kill() {
	r.air.mu.Lock()
	defer r.air.mu.Unlock()
	if r.host.Name != "" || r.owner != nil {
		r.part()
		r.session.tell(Ended{})
	}
}

// Edit changes what reach answers, and looks who hears whom now.
func (a *Air) Edit(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
	for _, r := range a.radios {
		if r.owner != nil {
			r.listen(r.owner)
		}
	}
}

// listen runs with mu held: the member's link to its owner may have changed.
func (r *AirRadio) listen(owner *AirRadio) {
	gone := func() bool {
		return r.owner == owner && (owner.host.Name == "" || !r.air.reach(r.device, owner.device))
	}
	if r.out && !gone() {
		r.out = false
		r.session.tell(Link{Up: true})
	}
	if !gone() || r.out {
		return
	}
	r.out = true
	r.after(r.air.draw(airSilent), func() {
		if r.out && gone() {
			r.session.tell(Link{})
		}
	})
	r.after(r.air.draw(airEnd), func() {
		if r.out && gone() {
			r.part()
			r.session.tell(Ended{})
		}
	})
}

// after runs f with mu held, if the session still is the same.
func (r *AirRadio) after(d time.Duration, f func()) {
	s := r.session
	time.AfterFunc(d, func() {
		r.air.mu.Lock()
		defer r.air.mu.Unlock()
		if s != nil && r.session == s {
			f()
		}
	})
}

// part runs with mu held: the radio leaves or ends its group. Members hear a polite end at once only if they are told;
// here nobody tells them, as when the battery is out.
func (r *AirRadio) part() {
	owned := r.host.Name != ""
	r.host = Host{}
	if o := r.owner; o != nil {
		r.owner, r.out = nil, false
		o.session.tell(Members{N: r.air.members(o)})
	}
	for _, m := range r.air.radios {
		if owned && m.owner == r {
			m.listen(r)
		}
	}
}

func (a *Air) members(o *AirRadio) (n int) {
	for _, r := range a.radios {
		if r.owner == o {
			n++
		}
	}
	return n
}
