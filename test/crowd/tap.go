package crowd

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
	"longear/test/crowd/report"
)

// tap is a node's radio in one of its lives: that of the air, with the addresses of the crowd. Beside it stands the kernel, which
// has an interface while there is a group, and somebody who writes down what the agent does.
type tap struct {
	m     *member
	radio *wifidirect.AirRadio
	watch *discovery.Watcher
}

// tapped is a session of a tap.
type tapped struct {
	wifidirect.Session
	t    *tap
	out  chan wifidirect.Event
	stop chan struct{}
	over chan struct{}
}

// Open implements wifidirect.Radio.
func (t *tap) Open(ctx context.Context) (wifidirect.Session, error) {
	inner, err := t.radio.Open(ctx)
	if err != nil {
		return nil, err
	}
	s := &tapped{
		Session: inner, t: t, out: make(chan wifidirect.Event), // the air's own has room for what waits
		stop: make(chan struct{}), over: make(chan struct{}),
	}
	go s.pass()
	return s, nil
}

// pass hands events on until the air's channel is closed or nobody reads any more.
func (s *tapped) pass() {
	defer close(s.over)
	defer close(s.out)
	for e := range s.Session.Events() {
		select {
		case s.out <- s.t.heard(e):
		case <-s.stop:
			return
		}
	}
}

// Events implements wifidirect.Session.
func (s *tapped) Events() <-chan wifidirect.Event { return s.out }

// Do implements wifidirect.Session.
func (s *tapped) Do(ctx context.Context, o wifidirect.Order) error {
	s.t.ordered(o)
	return s.Session.Do(ctx, o)
}

// Close implements wifidirect.Session.
func (s *tapped) Close() error {
	close(s.stop)
	err := s.Session.Close()
	<-s.over
	s.t.watch.Set(nil)
	s.t.m.w.groups.deed.close(s.t.m.number)
	return err
}

func (t *tap) ordered(o wifidirect.Order) {
	if _, ok := o.(wifidirect.Leave); ok {
		t.watch.Set(nil)
	}
	t.m.w.groups.deed.ordered(t.m.number, o)
}

// heard is the event as the agent gets it: an owner of the crowd has an address of its own.
func (t *tap) heard(e wifidirect.Event) wifidirect.Event {
	g := t.m.w.groups
	owner, ok := g.deed.heard(t.m.number, e)
	switch e := e.(type) {
	case wifidirect.Started:
		t.watch.Set([]discovery.Interface{t.m.iface()})
		if e.Group.Iface = t.m.iface().Name; ok {
			e.Group.Hub, _ = netip.AddrFromSlice(addrOf(g.number[owner]))
		}
		return e
	case wifidirect.Ended:
		t.watch.Set(nil)
	}
	return e
}

// deeds is what agents did, read from what they say to their radios and hear of them.
type deeds struct {
	mu   sync.Mutex // guards what follows; agents tell it, each from its own goroutine
	sum  report.GroupCounts
	node map[int]*doing
}

// doing is one node.
type doing struct {
	owns, member, joining bool
	to                    wifidirect.Device // whom it is joining
	silent                bool              // its owner
	left                  string            // what it has just left by itself, while it is not known for what
	lost                  time.Time         // when its owner was
	ferry                 bool              // it left one group for another by itself
}

// takenOver is how long after the loss of an owner a new group counts as one that takes its place: longer than the last in line waits.
const takenOver = time.Minute

func (d *deeds) of(node int) *doing {
	if d.node == nil {
		d.node = make(map[int]*doing)
	}
	if d.node[node] == nil {
		d.node[node] = new(doing)
	}
	return d.node[node]
}

func (d *deeds) ordered(node int, o wifidirect.Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.of(node)
	switch o := o.(type) {
	case wifidirect.Leave:
		switch {
		case n.owns:
			n.left = "own"
		case n.member && n.silent:
			d.sum.Lost++
			n.lost = time.Now()
		case n.member:
			n.left = "other"
		}
		n.owns, n.member, n.silent, n.joining = false, false, false, false
	case wifidirect.Join:
		switch n.left {
		case "own":
			d.sum.StepDowns++
			d.sum.Merges++
		case "other":
			d.sum.Ferries++
			n.ferry = true
		}
		n.left, n.joining, n.to = "", true, o.Owner
	case wifidirect.Host: // there was no place elsewhere
		n.left = ""
	case wifidirect.Seek:
		switch n.left {
		case "own":
			d.sum.StepDowns++
		case "other":
			d.sum.Stranded++
		}
		n.left = ""
	}
}

// heard takes an event and returns the owner that was being joined.
func (d *deeds) heard(node int, e wifidirect.Event) (owner wifidirect.Device, joined bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.of(node)
	switch e := e.(type) {
	case wifidirect.Started:
		if n.owns = e.Group.Owner; n.owns {
			d.sum.Made++
			if !n.lost.IsZero() && time.Since(n.lost) < takenOver {
				d.sum.Takeovers++
			}
		} else {
			d.sum.Joins++
		}
		n.member, n.silent, n.joining, n.lost = !n.owns, false, false, time.Time{}
		return n.to, n.member
	case wifidirect.Ended:
		if n.member {
			d.sum.Lost++
			n.lost = time.Now()
		}
		n.owns, n.member, n.silent, n.left = false, false, false, ""
	case wifidirect.Failed:
		if n.joining {
			d.sum.Failures++
		}
		n.joining = false
	case wifidirect.Link:
		n.silent = !e.Up
	}
	return "", false
}

// close forgets what a life that ends was about.
func (d *deeds) close(node int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*d.of(node) = doing{}
}

// ferries reports whether a node came where it is as a ferry; it is asked once for each group that the node enters.
func (d *deeds) ferries(node int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.of(node)
	if n.member {
		defer func() { n.ferry = false }()
	}
	return n.ferry && n.member
}

func (d *deeds) counts() report.GroupCounts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sum
}
