package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"longear/protocol"
	"longear/store"
)

// Mute is a request to mute an author.
type Mute struct {
	For  int64 `json:"for_seconds,omitempty"` // 0: until it is taken back
	Drop bool  `json:"drop,omitempty"`        // does not carry them either, and lets go of what is kept of them
}

// Muted is a muted author.
type Muted struct {
	Type   string `json:"type"` // always "muted"
	Author string `json:"author"`
	Until  string `json:"until,omitempty"` // RFC 3339; absent: it does not end by itself
	Drop   bool   `json:"drop,omitempty"`  // not carried either
}

func shownMute(m store.Mute) Muted {
	return Muted{Type: "muted", Author: m.Author.String(), Until: rfc3339(m.Until), Drop: m.Drop}
}

// hides reports whether a message is of a muted author: of the one that everybody sees, or of a letter's, who is inside.
func (s *Server) hides(m *protocol.Message) bool {
	if s.cfg.Mutes.Hides(m.Author) {
		return true
	}
	if m.Channel != protocol.DirectChannel() || s.cfg.Mutes.Empty() {
		return false // a sealed channel's messages have the author outside that they have inside
	}
	p, _ := s.cfg.Desk.open(m)
	return p != nil && s.cfg.Mutes.Hides(p.Author())
}

func (s *Server) listMutes(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	w.Header().Set("Content-Type", jsonLines)
	for _, m := range s.cfg.Mutes.List() {
		if writeLine(w, shownMute(m)) != nil {
			return
		}
	}
}

func (s *Server) mute(w http.ResponseWriter, r *http.Request) {
	var ask Mute
	if !begin(w, r, &ask) {
		return
	}
	// Letting go of what is kept reads the whole store.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	m, err := s.muteOf(r.PathValue("author"), ask)
	if err == nil {
		err = s.cfg.Muter.Mute(r.Context(), m)
	}
	s.answer(w, shownMute(m), muteError(err))
}

// muteOf reads a request.
func (s *Server) muteOf(author string, ask Mute) (m store.Mute, err error) {
	span := time.Duration(ask.For) * time.Second
	switch {
	case s.cfg.Muter == nil:
		return m, Fail(Failed, "nobody can be muted here", "")
	case ask.For < 0 || ask.For > int64(store.MaxMuteTime/time.Second):
		return m, Fail(Usage, fmt.Sprintf("muted for %d seconds", ask.For), "1 second to 10 years; 0 is until it is taken back")
	}
	if m.Author, err = s.findAuthor(author); err != nil {
		return m, err
	}
	if m.Author == s.cfg.Desk.card.Author() {
		return m, Fail(Usage, "this is your own key", "longear watch shows what others write with their keys: mute one of those")
	}
	if m.Drop = ask.Drop; span > 0 {
		m.Until = s.cfg.Desk.now().Add(span).Truncate(time.Second)
	}
	return m, nil
}

func (s *Server) unmute(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	// Letting in again what was refused reads all that is dead; a read deadline would end r.Context() in the middle.
	c := http.NewResponseController(w)
	_ = errors.Join(c.SetWriteDeadline(time.Time{}), c.SetReadDeadline(time.Time{}))
	a, err := s.findMuted(r.PathValue("author"))
	if err == nil {
		err = s.cfg.Muter.Unmute(r.Context(), a)
	}
	s.answer(w, Done{Type: "done"}, muteError(err))
}

// muteError gives the errors of the list their codes.
func muteError(err error) error {
	what, fix := "", ""
	switch {
	case errors.Is(err, store.ErrNotMuted):
		what, fix, _ = strings.Cut(store.ErrNotMuted.Error(), ": ")
		return Fail(NotFound, what, fix)
	case errors.Is(err, store.ErrManyMutes):
		what, fix, _ = strings.Cut(store.ErrManyMutes.Error(), ": ")
		return Fail(Failed, what, fix)
	}
	return err
}

// wholeAuthor reads an author as people hand keys on: the key, or a card, as longear send takes it.
func wholeAuthor(text string) (protocol.Author, bool) {
	text = strings.TrimPrefix(text, "@")
	if card, err := protocol.ParseCard(text); err == nil {
		return card.Author(), true
	}
	a, err := protocol.ParseAuthor(text)
	return a, err == nil
}

// maxCandidates is how many authors an error names that begin alike.
const maxCandidates = 8

// alike collects the authors that begin with a prefix.
type alike struct {
	prefix string
	found  []protocol.Author
}

func (a *alike) see(author protocol.Author) {
	if len(a.found) <= maxCandidates && strings.HasPrefix(author.String(), a.prefix) && !slices.Contains(a.found, author) {
		a.found = append(a.found, author)
	}
}

// mutedAlike checks the beginning of a key, and collects who of the muted begins so.
func (s *Server) mutedAlike(text string) (*alike, error) {
	prefix := strings.ToLower(text)
	if len(prefix) < minPrefix || len(prefix) > len(protocol.Author{}.String()) || strings.Trim(prefix, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return nil, Fail(Usage, "that is no author", "give a key, a card, or at least 4 characters of a key that longear watch shows")
	}
	all := &alike{prefix: prefix}
	for _, m := range s.cfg.Mutes.List() {
		all.see(m.Author)
	}
	return all, nil
}

// one is the author there is, or an error that names the candidates.
func (a *alike) one(none error) (protocol.Author, error) {
	switch {
	case len(a.found) == 0:
		return protocol.Author{}, none
	case len(a.found) == 1:
		return a.found[0], nil
	}
	names := make([]string, 0, maxCandidates)
	for _, author := range a.found[:min(len(a.found), maxCandidates)] {
		names = append(names, author.String())
	}
	what := "several authors begin with " + a.prefix
	if len(a.found) > maxCandidates {
		what += ", more than these"
	}
	return protocol.Author{}, Fail(Usage, what, "give more of one: "+strings.Join(names, " "))
}

// findAuthor completes the beginning of a key of somebody who is muted, or wrote what is kept here. Like find it may read the whole
// store.
func (s *Server) findAuthor(text string) (protocol.Author, error) {
	if a, ok := wholeAuthor(text); ok {
		return a, nil
	}
	all, err := s.mutedAlike(text)
	if err != nil {
		return protocol.Author{}, err
	}
	for e, err := range s.cfg.Store.Newest() {
		if err != nil {
			return protocol.Author{}, err
		}
		if e.Message.Channel != protocol.DirectChannel() {
			all.see(e.Message.Author)
		} else if p, _ := s.cfg.Desk.open(e.Message); p != nil {
			all.see(p.Author())
		}
	}
	return all.one(Fail(NotFound, "nobody whose key begins with "+all.prefix+" wrote anything that is kept here", "give the whole key, or a card"))
}

// findMuted completes the beginning of a key of somebody who is muted.
func (s *Server) findMuted(text string) (protocol.Author, error) {
	if a, ok := wholeAuthor(text); ok {
		if s.cfg.Muter == nil {
			return a, store.ErrNotMuted
		}
		return a, nil
	}
	all, err := s.mutedAlike(text)
	if err != nil {
		return protocol.Author{}, err
	}
	return all.one(store.ErrNotMuted)
}
