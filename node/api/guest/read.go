package guest

import (
	"encoding/base64"
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Record is a message as a page gets it: the bytes that were signed, which it checks itself.
type Record struct {
	Wire string `json:"wire"`   // base64url without padding
	Age  int64  `json:"age_ms"` // how long it has been travelling
}

// Messages is the answer to GET /guest/messages.
type Messages struct {
	Type     string   `json:"type"` // always "messages"
	Messages []Record `json:"messages"`
	Next     string   `json:"next,omitempty"` // to be sent as since for what follows; absent: there is no more
}

// Channel is a channel that has messages here. What it is called only its tag tells, to who knows the name or the key.
type Channel struct {
	Tag      string `json:"tag"`
	Name     string `json:"name,omitempty"` // if the operator shows it by name
	Messages int    `json:"messages"`
	Newest   int64  `json:"newest_ms,omitempty"` // by its author's clock, never later than the hub's
}

// Channels is the answer to GET /guest/channels, the fullest first.
type Channels struct {
	Type     string    `json:"type"` // always "channels"
	Channels []Channel `json:"channels"`
}

// maxChannels bounds the list: anybody can post to as many channels as they like.
const maxChannels = 1000

// query is what a reader asks for.
type query struct {
	channel protocol.Channel
	one     bool // only that channel
	after   reconcile.Key
	limit   int
}

// parseQuery reads channel, limit and the cursor under the given name.
func parseQuery(r *http.Request, cursor string) (query, string) {
	values := r.URL.Query()
	q := query{limit: defaultPage}
	if text := values.Get("channel"); text != "" {
		q.one = true
		tag, err := protocol.ParseChannel(text)
		if err != nil {
			if tag, err = protocol.PublicChannel(text); err != nil {
				return q, "channel is a tag or the name of a public channel"
			}
		}
		q.channel = tag
	}
	if text := values.Get(cursor); text != "" {
		k, ok := parseCursor(text)
		if !ok {
			return q, cursor + " is what an earlier answer called next"
		}
		q.after = k
	}
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return q, "limit is 1 to " + strconv.Itoa(maxPage)
		}
		q.limit = n
	}
	return q, ""
}

// A cursor is the key of the last message that was shown.
func cursorOf(k reconcile.Key) string { return base64.RawURLEncoding.EncodeToString(k[:]) }

func parseCursor(text string) (reconcile.Key, bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(reconcile.KeySize) {
		return reconcile.Key{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return reconcile.Key{}, false
	}
	k, err := reconcile.ParseKey(b)
	return k, err == nil
}

// ask ranges over what is asked for: a channel by time, newest first, or everything: alerts, then text, each newest first. Media, which is
// parts of photos, is not even read: it is for who asks for it by name.
func (s *Server) ask(q query) iter.Seq2[store.Entry, error] {
	if q.one {
		return s.cfg.Store.TalkAfter(q.channel, q.after)
	}
	return func(yield func(store.Entry, error) bool) {
		for e, err := range s.cfg.Store.NewestAfter(q.after) {
			if err == nil && e.Message.Class == protocol.Media || !yield(e, err) {
				return
			}
		}
	}
}

// mayHave reports whether a guest may have a message.
func mayHave(from netip.Addr, m *protocol.Message) bool {
	return m.Flags&protocol.LocalOnly == 0 || isLocal(from)
}

// shows reports whether a guest is shown a message. Who is muted here is not shown, and still carried: by sync.
func (s *Server) shows(from netip.Addr, m *protocol.Message) bool {
	return mayHave(from, m) && !s.cfg.Mutes.Hides(m.Author)
}

func (s *Server) messages(w http.ResponseWriter, r *http.Request, v *visitor) {
	if r.URL.Query().Has("id") {
		s.named(w, r, v)
		return
	}
	q, wrong := parseQuery(r, "since")
	if wrong != "" {
		refuse(w, http.StatusBadRequest, wrong, "")
		return
	}
	s.giveMessages(w, r, v, s.ranged(r, q))
}

// giveMessages answers with messages, in one of the guest's places and on their account.
func (s *Server) giveMessages(w http.ResponseWriter, r *http.Request, v *visitor, fill func(*Messages) (int, error)) {
	leave, ok := s.visitors.body(v)
	if !ok || !s.visitors.solvent(v) {
		if ok {
			leave()
		}
		tooMuch(w)
		return
	}
	defer leave()
	out := Messages{Type: "messages", Messages: []Record{}}
	size, err := fill(&out)
	s.visitors.charge(v, size)
	if err != nil {
		s.storeFailed(w, err)
		return
	}
	answer(w, http.StatusOK, out)
}

func recordOf(wire []byte, age time.Duration) Record {
	return Record{Wire: base64.RawURLEncoding.EncodeToString(wire), Age: max(age, 0).Milliseconds()}
}

// storeFailed says so, here and there.
func (s *Server) storeFailed(w http.ResponseWriter, err error) {
	s.cfg.Log.Warn("guests could not be served", "err", err)
	refuse(w, http.StatusInternalServerError, "the hub could not read its store", "try again later")
}

// counted is the list of channels as of a few seconds ago: making it visits a key for each message, and who asks again at
// once must not cost more than the first.
type counted struct {
	mu    sync.Mutex // held while the list is made: who comes meanwhile waits for it
	list  []Channel
	until time.Time // the list is good so long
}

// The list is good for countFor or, in a store so large that making it takes long, for countShare times as long as that took:
// guests who ask without end cost at most a fiftieth of a core.
const (
	countFor   = 5 * time.Second
	countShare = 50
)

// listChannels is the channels that have messages, the fullest first. The caller does not write to it.
func (s *Server) listChannels() ([]Channel, error) {
	c := &s.counted
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.cfg.Now().Before(c.until) {
		return c.list, nil
	}
	began := s.cfg.Watch()
	list := []Channel{}
	for count, err := range s.cfg.Store.Channels() {
		if err != nil {
			return nil, err
		}
		ch := Channel{Tag: count.Tag.String(), Name: s.names[count.Tag], Messages: count.Messages}
		if !count.Newest.IsZero() {
			ch.Newest = count.Newest.UnixMilli()
		}
		list = append(list, ch)
	}
	slices.SortFunc(list, func(a, b Channel) int {
		if a.Messages != b.Messages {
			return b.Messages - a.Messages
		}
		return strings.Compare(a.Tag, b.Tag)
	})
	c.list = list[:min(len(list), maxChannels)]
	c.until = s.cfg.Now().Add(max(countFor, countShare*s.cfg.Watch().Sub(began)))
	return c.list, nil
}

func (s *Server) channels(w http.ResponseWriter, _ *http.Request, _ *visitor) {
	list, err := s.listChannels()
	if err != nil {
		s.storeFailed(w, err)
		return
	}
	answer(w, http.StatusOK, Channels{Type: "channels", Channels: list})
}
