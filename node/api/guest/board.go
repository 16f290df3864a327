package guest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"longear/node"
	"longear/node/api/guest/page"
	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Bounds of the board.
const (
	boardItems = 40     // more never fit on a page
	boardLooks = 20_000 // messages that one page reads at most: a petition may have thousands of signatures, which are newer and not shown
	newAlerts  = 5      // that stand before everything else
	portalTop  = 5      // messages in the sign-in window
	shownOfID  = 16     // characters: 80 bits name a message among those of a page
)

// board shows messages as a page without script: alerts first, then the newest.
func (s *Server) board(w http.ResponseWriter, r *http.Request, v *visitor) {
	q, wrong := parseQuery(r, "after")
	if wrong != "" {
		q = query{} // whoever mistypes an address sees the board all the same
	}
	q.limit = boardItems
	done, ok := s.work(w, v)
	if !ok {
		return
	}
	defer done()
	b := page.Board{
		Words: s.wordsFor(r), Catalog: s.cfg.Catalog, Hub: s.cfg.Hub, State: s.line(), Notice: noticeOf(r),
		Script: s.files.script(),
	}
	if r.URL.Query().Get("lang") == b.Words.Code {
		b.Lang = b.Words.Code
	}
	if q.one {
		b.Channel = q.channel.String()
	}
	if name, ok := s.formChannel(q); ok {
		b.Form = &page.Form{Token: s.token(v), Channel: name}
	}
	var err error
	if b.Items, b.After, err = s.items(r, q); err == nil {
		b.Tabs, err = s.tabs(q)
	}
	if err != nil {
		s.storeFailed(w, err)
		return
	}
	html := b.Bytes()
	// Compressed text gives away by its length what it shares with what somebody else put into it (BREACH): a page with a token in its form
	// goes as it is.
	w.Header().Set("Vary", "Accept-Encoding")
	if b.Form == nil && takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		html = s.files.pack(html)
	}
	show(w, html, b.Script != "")
}

// work begins what may keep the hub busy for a while: done charges the guest for it. False: they have had their share, and were told.
func (s *Server) work(w http.ResponseWriter, v *visitor) (done func(), ok bool) {
	if !s.visitors.solvent(v) {
		tooMuch(w)
		return nil, false
	}
	return s.charging(v), true
}

// charging begins to measure what a guest costs; done charges the guest for it.
func (s *Server) charging(v *visitor) (done func()) {
	began := s.cfg.Watch()
	return func() { s.visitors.charge(v, int(s.cfg.Watch().Sub(began)/time.Millisecond)*workCost) }
}

// line is the state for a page.
func (s *Server) line() page.State {
	l := s.now()
	out := page.State{Guests: s.visitors.present(), Neighbours: l.neighbours, Messages: l.messages, Synced: -1}
	if !l.synced.IsZero() {
		out.Synced = max(0, s.cfg.Now().Sub(l.synced))
	}
	return out
}

// tabs are the channels to choose from, and the one that is shown.
func (s *Server) tabs(q query) ([]page.Tab, error) {
	list, err := s.listChannels()
	if err != nil {
		return nil, err
	}
	var out []page.Tab
	shown := !q.one
	for _, c := range list {
		tag, err := protocol.ParseChannel(c.Tag)
		if err != nil || tag == protocol.DirectChannel() {
			continue // letters are for their readers' own programs
		}
		if tag == q.channel {
			if shown {
				continue
			}
			shown = true
			out = slices.Insert(out, 0, page.Tab{Name: s.nameOf(tag), Tag: c.Tag, Count: c.Messages})
			continue
		}
		out = append(out, page.Tab{Name: s.nameOf(tag), Tag: c.Tag, Count: c.Messages})
	}
	if !shown {
		out = slices.Insert(out, 0, page.Tab{Name: s.nameOf(q.channel), Tag: q.channel.String()})
	}
	return out, nil
}

// nameOf is what a channel is called on a page.
func (s *Server) nameOf(tag protocol.Channel) string {
	if name, ok := s.names[tag]; ok {
		return "#" + name
	}
	return tag.String()[:8]
}

// items are the messages of a page. Without a channel the newest alerts stand first and text follows: old alerts are in their channels.
// after is where older ones begin, "" if there are none.
func (s *Server) items(r *http.Request, q query) (items []page.Item, after string, err error) {
	if !q.one && q.after == (reconcile.Key{}) {
		alerts := query{limit: newAlerts}
		if items, _, err = s.read(r, alerts, func(e store.Entry) bool { return e.Message.Class == protocol.Alert }); err != nil {
			return nil, "", err
		}
		// The last key an alert can have: what is behind it is no alert.
		q.after = reconcile.NewKey(0, 0, reconcile.ID{})
		q.after[reconcile.KeySize-1] = 1
	}
	rest, after, err := s.read(r, q, func(store.Entry) bool { return true })
	items = append(items, rest...)
	if q.one {
		slices.SortStableFunc(items, func(a, b page.Item) int {
			switch {
			case a.Alert == b.Alert:
				return 0
			case a.Alert:
				return -1
			}
			return 1
		})
	}
	return items, after, err
}

// read makes items of what is asked for, until one is not wanted. after is where it stopped before the end.
func (s *Server) read(r *http.Request, q query, wanted func(store.Entry) bool) (items []page.Item, after string, err error) {
	looks := 0
	var last reconcile.Key
	for e, err := range s.ask(q) {
		if err != nil {
			return nil, "", err
		}
		if !wanted(e) {
			return items, "", nil
		}
		// What is not shown, such as a crowd's responses, must not make one page read the whole store.
		if looks++; len(items) == q.limit || looks > boardLooks {
			return items, cursorOf(last), nil
		}
		last = e.Key()
		if e.Message.Channel == protocol.DirectChannel() || !s.shows(source(r), e.Message) {
			continue
		}
		item, shown, err := s.item(r.Context(), e)
		if err != nil {
			return nil, "", err
		}
		if shown {
			items = append(items, item)
		}
	}
	return items, "", nil
}

// item is a message with what keys answer to it, and whether it stands on the board by itself: a response is counted with what it answers. The
// hub holds no key of a channel, so that what is sealed is not counted.
func (s *Server) item(ctx context.Context, e store.Entry) (out page.Item, shown bool, err error) {
	m := e.Message
	out = page.Item{
		ID: m.ID.String()[:shownOfID], Channel: s.nameOf(m.Channel), Author: m.Author.Short(), Age: e.Age,
		Alert: m.Class == protocol.Alert, Petition: m.Kind == protocol.KindPetition, Cursor: cursorOf(e.Key()),
	}
	poll := node.PollOf(m, nil)
	switch m.Kind {
	case protocol.Post, protocol.KindPetition:
		out.Text, out.Sealed = string(m.Body), !readable(m.Body)
	case protocol.KindPoll:
		if out.Sealed = poll == nil; poll != nil {
			out.Text = poll.Question
		}
	case protocol.KindManifest:
		// Without script a photo cannot be put together and checked: caption, name and size.
		f, err := protocol.ParseManifest(m.Body)
		if err != nil {
			return out, false, nil // sealed, or damaged: the two cannot be told apart
		}
		out.Text, out.File = f.Caption, &page.File{Name: f.Name, Size: f.Size}
	default:
		return out, false, nil
	}
	if out.Sealed {
		return out, true, nil
	}
	sum, err := s.tallies.Of(ctx, m, nil)
	if err != nil {
		return out, false, err
	}
	out.Answers = page.Answers{
		Confirms: sum.Confirms, Contradicts: sum.Contradicts, Signs: sum.Signs, Voters: sum.Voters, AtLeast: sum.AtLeast,
	}
	for i, votes := range sum.Votes {
		out.Options = append(out.Options, page.Option{Text: poll.Options[i], Votes: votes})
	}
	return out, true, nil
}

// readable reports whether a body can be a text. What is sealed is noise to a hub, and cannot be told from it.
func readable(body []byte) bool {
	return utf8.Valid(body) && !strings.ContainsRune(string(body), 0)
}

// signInPage is the page of the sign-in window.
func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, v *visitor, words *page.Words) {
	done, ok := s.work(w, v)
	if !ok {
		return
	}
	defer done()
	items, _, err := s.items(r, query{limit: portalTop})
	if err != nil {
		s.storeFailed(w, err)
		return
	}
	show(w, page.SignIn{
		Words: words, Catalog: s.cfg.Catalog, Hub: s.cfg.Hub, URL: s.originOf(r) + "/", Token: s.token(v),
		Through: s.visitors.isOnline(v), Items: items[:min(len(items), portalTop)],
	}.Bytes(), false)
}

// signIn shows the page of the sign-in window.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, v *visitor) {
	s.signInPage(w, r, v, s.wordsFor(r))
}

// notices are the keys of the catalogue that a board may show above the messages.
var notices = [...]string{"kept", "known", "dead", "expired", "muted", "later", "full", "failed", "refused", "too_long", "empty_text", "stale_form"}

// noticeOf is what became of a form, from the address that the form led to: only a key of ours, never a text.
func noticeOf(r *http.Request) string {
	word := r.URL.Query().Get("notice")
	if slices.Contains(notices[:], word) {
		return word
	}
	return ""
}

// tokenLife is how long a form can be left open: at least this, at most twice.
const tokenLife = time.Hour
