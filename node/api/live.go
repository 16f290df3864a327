package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"longear/node"
	"longear/store"
)

// LiveReport is everything about a running node that changes by the second: one answer, so that a page that follows a node asks once.
type LiveReport struct {
	Type   string       `json:"type"` // always "live"
	Status StatusReport `json:"status"`
	Peers  []PeerReport `json:"peers"`
	Guests *int         `json:"guests,omitempty"` // phones that are here; not there when the node serves none
	Seq    uint64       `json:"seq"`              // of the last event
	// Events are all that are remembered, or null when none is later than the one that the request named.
	Events []EventReport `json:"events"`
}

// EventReport is something that happened.
type EventReport struct {
	Type string `json:"type"` // always "event"
	node.Event
}

// StoreReport says what takes the room.
type StoreReport struct {
	Type     string        `json:"type"` // always "store"
	Messages int64         `json:"messages"`
	Bytes    int64         `json:"stored_bytes"` // Dead included
	Quota    int64         `json:"quota_bytes"`
	Dead     int64         `json:"dead_bytes"` // what remembers the messages that are gone, so that they do not return
	Classes  []ClassReport `json:"classes"`    // alerts, text, media: in the order in which they are kept
	// Of messages that left, since the store was made.
	Expired uint64 `json:"expired"`
	Evicted uint64 `json:"evicted"`
	Removed uint64 `json:"removed"`
	Damaged uint64 `json:"damaged"`
}

// ClassReport is what one class of messages takes.
type ClassReport struct {
	Class    string `json:"class"`
	Messages int64  `json:"messages"`
	Bytes    int64  `json:"bytes"`
}

// Finding is what one check of doctor says.
type Finding struct {
	Type  string `json:"type"` // always "check"
	Check string `json:"check"`
	State string `json:"state"` // "ok", "warn" or "fail"
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"`
}

// statusReport is the node in numbers.
func (s *Server) statusReport(links Links) StatusReport {
	r := StatusReport{Type: "status", Status: links.Status()}
	if s.cfg.Past != nil {
		r.PerMinute = s.cfg.Past.PerMinute()
	}
	return r
}

// live answers with all that changes, and with the events if there are any after ?seen=.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	links, err := s.links()
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	seen, err := strconv.ParseUint(r.URL.Query().Get("seen"), 10, 64)
	if err != nil && r.URL.Query().Get("seen") != "" {
		s.answer(w, nil, Fail(Usage, "seen is the seq of an event", "leave it out, or give the seq of the last answer"))
		return
	}
	out := LiveReport{Type: "live", Status: s.statusReport(links), Peers: []PeerReport{}}
	for _, p := range links.Peers() {
		out.Peers = append(out.Peers, PeerReport{Type: "peer", Peer: p})
	}
	if s.cfg.Guests != nil {
		n := s.cfg.Guests()
		out.Guests = &n
	}
	events := s.pastEvents()
	if n := len(events); n > 0 {
		out.Seq = events[n-1].Seq
	}
	if out.Seq != seen || seen == 0 {
		out.Events = events
	}
	s.answer(w, out, nil)
}

func (s *Server) pastEvents() []EventReport {
	out := []EventReport{}
	if s.cfg.Past == nil {
		return out
	}
	for _, e := range s.cfg.Past.Events() {
		out = append(out, EventReport{Type: "event", Event: e})
	}
	return out
}

// events lists what happened, the oldest first.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	if _, err := s.links(); err != nil {
		s.answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", jsonLines)
	for _, e := range s.pastEvents() {
		if writeLine(w, e) != nil {
			return
		}
	}
}

// A count of the classes visits every key of the store, so who asks again and again gets the last one again: for countFor, and for
// countShare times as long as it took, which bounds what asking can cost to a fiftieth of a core.
const (
	countFor   = 5 * time.Second
	countShare = 50
)

// counted is the last count of the classes.
type counted struct {
	classes []store.ClassCount
	until   time.Time
}

// room says what takes the room in the store.
func (s *Server) room(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	classes, err := s.classes(r.Context())
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	st := s.cfg.Store.Stats()
	out := StoreReport{
		Type: "store", Messages: st.Messages, Bytes: st.Bytes, Quota: st.Quota, Dead: st.DeadBytes,
		Expired: st.Expired, Evicted: st.Evicted, Removed: st.Removed, Damaged: st.Corrupt,
	}
	for _, c := range classes {
		out.Classes = append(out.Classes, ClassReport{Class: c.Class.String(), Messages: c.Messages, Bytes: c.Bytes})
	}
	s.answer(w, out, nil)
}

// classes counts, or remembers. One request counts at a time; the others wait for what it finds.
func (s *Server) classes(ctx context.Context) ([]store.ClassCount, error) {
	var last counted
	select {
	case last = <-s.counted:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	began := time.Now()
	if began.Before(last.until) {
		s.counted <- last
		return last.classes, nil
	}
	classes, err := s.cfg.Store.Classes()
	if err == nil {
		now := time.Now()
		last = counted{classes: classes, until: now.Add(max(countFor, countShare*now.Sub(began)))}
	}
	s.counted <- last
	return classes, err
}

// doctor looks at what the node stands on. One at a time: a check listens on the network for a moment.
func (s *Server) doctor(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	if s.cfg.Doctor == nil {
		s.answer(w, nil, Fail(NotFound, "this node has no doctor", "longear doctor"))
		return
	}
	select {
	case s.doctoring <- struct{}{}:
		defer func() { <-s.doctoring }()
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", jsonLines)
	for _, f := range s.cfg.Doctor(r.Context()) {
		f.Type = "check"
		if writeLine(w, f) != nil {
			return
		}
	}
}

// stop ends the node, after the answer is out.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	if !begin(w, r, &struct{}{}) {
		return
	}
	if s.cfg.Stop == nil {
		s.answer(w, nil, Fail(NoNode, "no node is running", "longear relay"))
		return
	}
	s.answer(w, Done{Type: "done"}, nil)
	_ = http.NewResponseController(w).Flush()
	s.cfg.Stop()
}

// openPage makes sure that the operator's page is served, and says where.
func (s *Server) openPage(w http.ResponseWriter, r *http.Request) {
	if !begin(w, r, &struct{}{}) {
		return
	}
	if s.cfg.Page == nil {
		s.answer(w, nil, Fail(NoNode, "no node is running", "longear relay"))
		return
	}
	at, err := s.cfg.Page(r.Context())
	s.answer(w, at, err)
}
