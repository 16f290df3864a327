package wifidirect

import (
	"cmp"
	"crypto/sha256"
	"time"
)

const (
	maxHubs = 64
	// chosenFor is how old a record may be by which an owner is chosen.
	chosenFor = 10 * time.Second
	// knownFor is how old one may be by which a member decides to move; it looks around every half minute.
	knownFor = 45 * time.Second
	// An owner that could not be joined, or had nothing to give, is left alone, ever longer.
	firstAvoid = time.Minute
	maxAvoid   = time.Hour
)

// hub is an owner of a group that was heard.
type hub struct {
	device Device
	record Record
	heard  time.Time

	avoid  time.Time // not to be joined before
	futile int       // visits and tries in a row that gave nothing

	// What both stores were when we last left it with nothing more to exchange.
	ourDigest, itsDigest [8]byte
}

// hubs are the owners that were heard, at most maxHubs: anyone can make them up.
type hubs struct {
	byDevice map[Device]*hub
	seekers  map[Device]seeker // who owns no group yet, at most maxHubs
	previous string            // the peer ID of the owner we had last: it is preferred when it comes back
}

// seeker is a device that looks for a group, or was in one when it was heard.
type seeker struct {
	peer  string
	heard time.Time
}

func newHubs() hubs { return hubs{byDevice: make(map[Device]*hub), seekers: make(map[Device]seeker)} }

// seek notes a device without a group. When there are too many any of them makes room.
func (hs *hubs) seek(e Heard, now time.Time) {
	if _, known := hs.seekers[e.Device]; !known && len(hs.seekers) >= maxHubs {
		for d := range hs.seekers {
			delete(hs.seekers, d)
			break
		}
	}
	hs.seekers[e.Device] = seeker{e.Record.Peer, now}
}

// around reports whether other devices look for a group too, and whether one of them comes before us.
func (hs *hubs) around(self string, now time.Time) (others, before bool) {
	for _, s := range hs.seekers {
		if now.Sub(s.heard) <= chosenFor {
			others, before = true, before || s.peer < self
		}
	}
	return others, before
}

// hear notes what a device says. A device that owns no group of our circle is none of ours, and none any more.
func (hs *hubs) hear(e Heard, circle string, now time.Time) {
	h := hs.byDevice[e.Device]
	if !OurName(circle, e.Record.Name) {
		if h != nil {
			h.heard = time.Time{}
		}
		if e.Record.Name == "" {
			hs.seek(e, now)
		}
		return
	}
	delete(hs.seekers, e.Device)
	if h == nil {
		if len(hs.byDevice) >= maxHubs {
			hs.forget()
		}
		h = &hub{device: e.Device}
		hs.byDevice[e.Device] = h
	}
	h.record, h.heard = e.Record, now
}

// forget removes the one that was heard longest ago.
func (hs *hubs) forget() {
	var oldest *hub
	for _, h := range hs.byDevice {
		if oldest == nil || h.heard.Before(oldest.heard) {
			oldest = h
		}
	}
	if oldest != nil {
		delete(hs.byDevice, oldest.device)
	}
}

// best is the owner to join: the one we had, then one that stays for good, then the one with most places. Equals are spread
// over those who ask, by hash.
func (hs *hubs) best(now time.Time, self string) *hub {
	var best *hub
	for _, h := range hs.byDevice {
		if h.record.Places == 0 || now.Sub(h.heard) > chosenFor || now.Before(h.avoid) {
			continue
		}
		if best == nil || hs.compare(h, best, self) > 0 {
			best = h
		}
	}
	return best
}

func (hs *hubs) compare(a, b *hub, self string) int {
	return cmp.Or(
		cmp.Compare(b2i(a.record.Peer == hs.previous), b2i(b.record.Peer == hs.previous)),
		cmp.Compare(b2i(a.record.Fixed), b2i(b.record.Fixed)),
		cmp.Compare(a.record.Places, b.record.Places),
		cmp.Compare(draw(a.record.Peer, self), draw(b.record.Peer, self)),
		cmp.Compare(a.device, b.device),
	)
}

// elsewhere is an owner with a place, not the one of our group, whose store differs from ours, and which has not shown that it
// does so for good; and whether there is one that has none.
func (hs *hubs) elsewhere(not Device, own [8]byte, now time.Time) (best *hub, full bool) {
	for _, h := range hs.byDevice {
		r := h.record
		switch {
		case h.device == not || now.Sub(h.heard) > knownFor || now.Before(h.avoid):
		case r.Digest == own || r.Digest == [8]byte{}:
		case h.ourDigest == own && h.itsDigest == r.Digest:
		case r.Places == 0:
			full = true
		case best == nil || h.heard.After(best.heard):
			best = h
		}
	}
	return best, full
}

// wasted notes that a hub gave nothing.
func (h *hub) wasted(now time.Time) {
	h.avoid = now.Add(jitter(min(firstAvoid<<min(h.futile, 8), maxAvoid)))
	h.futile++
}

// draw is a lot that nobody can choose for both sides.
func draw(a, b string) string {
	h := sha256.Sum256([]byte(a + "\x00" + b))
	return string(h[:])
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
