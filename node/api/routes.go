package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// decodeBody reads exactly one JSON object without keys that are not known.
func decodeBody(r io.Reader, v any) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) {
		return errors.New("not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	links, err := s.links()
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	s.answer(w, s.statusReport(links), nil)
}

func (s *Server) peers(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	links, err := s.links()
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", jsonLines)
	for _, p := range links.Peers() {
		if writeLine(w, PeerReport{Type: "peer", Peer: p}) != nil {
			return
		}
	}
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	var p Post
	if !begin(w, r, &p) {
		return
	}
	m, err := s.cfg.Desk.Write(r.Context(), p)
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	// Minting may have taken longer than an answer may.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(requestTime))
	shown, err := s.keep(r.Context(), m)
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusCreated)
	_ = writeLine(w, shown)
}

// keep stores and sends an own message.
func (s *Server) keep(ctx context.Context, m *protocol.Message) (Message, error) {
	if err := s.cfg.Keeper.PostOwn(ctx, m); err != nil {
		return Message{}, err
	}
	e, err := s.cfg.Store.Get(m.ID)
	if err != nil {
		return Message{}, err
	}
	return s.show(ctx, e), nil
}

// show is an entry with what is said to it, and with its delivery, which only own messages have.
func (s *Server) show(ctx context.Context, e store.Entry) Message {
	out := s.cfg.Desk.Read(e)
	s.addAnswers(ctx, e.Message, &out)
	out.Muted = s.hides(e.Message)
	if out.File != nil {
		if f, err := s.cfg.Desk.manifest(e.Message); err == nil {
			out.File.Have = s.here(f)
		}
	}
	if !e.Own {
		return out
	}
	if life, err := s.cfg.Reader.Life(e.Message.ID); err == nil {
		out.Delivery = life.State
	}
	return out
}

func (s *Server) sendReceipt(w http.ResponseWriter, r *http.Request) {
	if !begin(w, r, &struct{}{}) {
		return
	}
	s.answer(w, Done{Type: "done"}, s.acknowledge(r.Context(), r.PathValue("id")))
}

func (s *Server) acknowledge(ctx context.Context, text string) error {
	id, err := protocol.ParseID(text)
	if err != nil {
		return Fail(Usage, err.Error(), "give the whole ID")
	}
	e, err := s.get(id)
	if err != nil {
		return err
	}
	m, err := s.cfg.Desk.receipt(ctx, e.Message)
	if err != nil || m == nil {
		return err
	}
	return s.cfg.Keeper.PostOwn(ctx, m)
}

func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	var c Connect
	if !begin(w, r, &c) {
		return
	}
	links, err := s.links()
	if err == nil {
		if err = links.Connect(c.Addr); err != nil {
			err = Fail(Failed, err.Error(), "give an address the other node printed, such as 192.168.1.7 or /ip4/192.168.1.7/tcp/4550")
		}
	}
	s.answer(w, Done{Type: "done"}, err)
}

func (s *Server) join(w http.ResponseWriter, r *http.Request) {
	var j Join
	if !begin(w, r, &j) {
		return
	}
	joined, secret, err := s.cfg.Desk.rooms.join(j)
	shown := shownChannel(joined)
	shown.Key = secret
	s.answer(w, shown, err)
}

func shownChannel(c store.KnownChannel) Channel {
	return Channel{Type: "channel", Name: shownName(c), Tag: c.Tag.String(), Kind: c.Kind.String(), Joined: true}
}

func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	s.answer(w, Done{Type: "done"}, s.cfg.Desk.rooms.leave(r.PathValue("name")))
}

// channels lists what is known by name and what was only seen, the busiest first.
func (s *Server) channels(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	list, err := s.listChannels()
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", jsonLines)
	for _, c := range list {
		if writeLine(w, c) != nil {
			return
		}
	}
}

func (s *Server) listChannels() ([]Channel, error) {
	byTag := make(map[protocol.Channel]Channel)
	for _, c := range s.cfg.Desk.rooms.ring.List() {
		byTag[c.Tag] = shownChannel(c)
	}
	for count, err := range s.cfg.Store.Channels() {
		if err != nil {
			return nil, err
		}
		c, known := byTag[count.Tag]
		if !known {
			c = s.cfg.Desk.rooms.seen(count.Tag)
		}
		c.Messages, c.Newest = count.Messages, rfc3339(count.Newest)
		byTag[count.Tag] = c
	}
	list := make([]Channel, 0, len(byTag))
	for _, c := range byTag {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Channel) int {
		if a.Messages != b.Messages {
			return b.Messages - a.Messages
		}
		return strings.Compare(a.Name+a.Tag, b.Name+b.Tag)
	})
	return list, nil
}

// jsonLines is a stream of JSON objects, one a line.
const jsonLines = "application/jsonl"

// watch streams history and then, with live=1, what arrives.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	q, err := s.query(r)
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	select {
	case s.watches <- struct{}{}:
		defer func() { <-s.watches }()
	default:
		refuse(w, http.StatusServiceUnavailable, Fail(Failed, fmt.Sprintf("%d programs are watching already", maxWatches), "end one of them"))
		return
	}
	out := newStream(w, jsonLines)
	w.WriteHeader(http.StatusOK)
	_ = out.rc.Flush() // the client learns that it is being served before the first message
	for e, err := range s.cfg.Reader.Messages(r.Context(), q) {
		if err != nil {
			_ = writeLine(out, asError(err))
			return
		}
		if e.Message.Kind == protocol.KindChunk {
			continue
		}
		shown := s.show(r.Context(), e)
		if name := r.URL.Query().Get("channel"); shown.Channel == shown.Tag && name != "" {
			shown.Channel = name // who asks by name knows it
		}
		if writeLine(out, shown) != nil || q.Live && out.rc.Flush() != nil {
			return
		}
	}
}

func (s *Server) query(r *http.Request) (node.Query, error) {
	values := r.URL.Query()
	q := node.Query{History: defaultHistory, Hide: s.hides}
	if name := values.Get("channel"); name == directName {
		q.Channel = protocol.DirectChannel()
	} else if tag, err := protocol.ParseChannel(name); err == nil {
		q.Channel = tag
	} else if name != "" {
		known, err := s.cfg.Desk.rooms.named(name)
		if err != nil {
			return q, err
		}
		q.Channel = known.Tag
	}
	if text := values.Get("history"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < -1 {
			return q, Fail(Usage, "history is a number of messages", "-1 is all, 0 none")
		}
		q.History = n
	}
	q.NoResponses = values.Get("responses") == "0"
	switch values.Get("live") {
	case "", "0":
	case "1":
		q.Live = true
	default:
		return q, Fail(Usage, "live is 1 or 0", "")
	}
	return q, nil
}

// defaultHistory is how many old messages a reader gets who does not say.
const defaultHistory = 20

// get reads a message of the store.
func (s *Server) get(id protocol.ID) (store.Entry, error) {
	e, err := s.cfg.Store.Get(id)
	if errors.Is(err, store.ErrNotFound) {
		return e, notHere(id.Short())
	}
	return e, err
}
