package guest

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"longear/node/api/guest/page"
	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Bounds of the board.
const (
	boardItems = 40 // more never fit on a page
	newAlerts  = 5  // that stand before everything else
	portalTop  = 5  // messages in the sign-in window
)

// board shows messages as a page without script: alerts first, then the newest.
func (s *Server) board(w http.ResponseWriter, r *http.Request, v *visitor) {
	q, wrong := parseQuery(r, "after")
	if wrong != "" {
		q = query{} // whoever mistypes an address sees the board all the same
	}
	q.limit = boardItems
	b := page.Board{
		Words: s.wordsFor(r), Catalog: s.cfg.Catalog, Hub: s.cfg.Hub, State: s.line(), Notice: noticeOf(r),
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
	if b.Items, b.More, err = s.items(r, q); err == nil {
		b.Tabs, err = s.tabs(q)
	}
	if err != nil {
		s.storeFailed(w, err)
		return
	}
	show(w, b.Bytes())
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
func (s *Server) items(r *http.Request, q query) (items []page.Item, more bool, err error) {
	if !q.one && q.after == (reconcile.Key{}) {
		alerts := query{limit: newAlerts}
		if items, _, err = s.read(r, alerts, func(e store.Entry) bool { return e.Message.Class == protocol.Alert }); err != nil {
			return nil, false, err
		}
		// The last key an alert can have: what is behind it is no alert.
		q.after = reconcile.NewKey(0, 0, reconcile.ID{})
		q.after[reconcile.KeySize-1] = 1
	}
	rest, more, err := s.read(r, q, func(store.Entry) bool { return true })
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
	return items, more, err
}

// read makes items of what is asked for, until one is not wanted.
func (s *Server) read(r *http.Request, q query, wanted func(store.Entry) bool) (items []page.Item, more bool, err error) {
	seen := 0
	for e, err := range s.ask(q) {
		if err != nil {
			return nil, false, err
		}
		if !wanted(e) {
			return items, false, nil
		}
		// Noise of kinds that are not shown must not make one page read the whole store.
		if seen++; len(items) == q.limit || seen > 10*boardItems {
			return items, len(items) > 0, nil
		}
		m := e.Message
		if m.Kind != protocol.Post && m.Kind != protocol.Response || m.Channel == protocol.DirectChannel() || !mayHave(source(r), m) {
			continue
		}
		items = append(items, page.Item{
			Channel: s.nameOf(m.Channel), Author: m.Author.Short(), Age: e.Age, Text: string(m.Body),
			Alert: m.Class == protocol.Alert, Sealed: !readable(m.Body), Cursor: cursorOf(e.Key()),
		})
	}
	return items, false, nil
}

// readable reports whether a body can be a text. What is sealed is noise to a hub, and cannot be told from it.
func readable(body []byte) bool {
	return utf8.Valid(body) && !strings.ContainsRune(string(body), 0)
}

// signInPage is the page of the sign-in window.
func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, v *visitor, words *page.Words) {
	items, _, err := s.items(r, query{limit: portalTop})
	if err != nil {
		s.storeFailed(w, err)
		return
	}
	show(w, page.SignIn{
		Words: words, Catalog: s.cfg.Catalog, Hub: s.cfg.Hub, URL: s.originOf(r) + "/", Token: s.token(v),
		Through: s.visitors.isOnline(v), Items: items[:min(len(items), portalTop)],
	}.Bytes())
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
