package guest

import (
	"net/http"
	"strconv"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Carried is the answer to GET /guest/carried.
type Carried struct {
	Type     string           `json:"type"` // always "carried"
	Messages []CarriedMessage `json:"messages"`
}

// CarriedMessage says how far one message has come.
type CarriedMessage struct {
	ID string `json:"id"`
	By int    `json:"by"` // neighbours known to have it; absent messages: not known here
}

// maxCarried bounds the IDs of one question, and maxByID those of messages that are asked for by name.
const (
	maxCarried = 64
	maxByID    = 16
)

// parseIDs reads ?id=, repeated. False: none, too many, or one that is no ID.
func parseIDs(r *http.Request, most int) ([]protocol.ID, bool) {
	texts := r.URL.Query()["id"]
	if len(texts) == 0 || len(texts) > most {
		return nil, false
	}
	ids := make([]protocol.ID, len(texts))
	for i, text := range texts {
		id, err := protocol.ParseID(text)
		if err != nil {
			return nil, false
		}
		ids[i] = id
	}
	return ids, true
}

// carried says by how many neighbours messages of guests are known to be kept.
func (s *Server) carried(w http.ResponseWriter, r *http.Request, _ *visitor) {
	ids, ok := parseIDs(r, maxCarried)
	if !ok {
		refuse(w, http.StatusBadRequest, "id is 1 to "+strconv.Itoa(maxCarried)+" IDs", "repeat it: ?id=…&id=…")
		return
	}
	out := Carried{Type: "carried", Messages: []CarriedMessage{}}
	for i, n := range s.cfg.Door.Carriers(ids) {
		if n >= 0 {
			out.Messages = append(out.Messages, CarriedMessage{ID: ids[i].String(), By: n})
		}
	}
	answer(w, http.StatusOK, out)
}

// named gives out messages by their IDs: the parts of a photo. Those that are not here are left out.
func (s *Server) named(w http.ResponseWriter, r *http.Request, v *visitor) {
	ids, ok := parseIDs(r, maxByID)
	if !ok {
		refuse(w, http.StatusBadRequest, "id is 1 to "+strconv.Itoa(maxByID)+" IDs", "repeat it: ?id=…&id=…")
		return
	}
	s.giveMessages(w, r, v, func(out *Messages) (size int, err error) {
		for _, id := range ids {
			if s.cfg.Store.Known(id) != protocol.IgnoreKnown {
				continue
			}
			e, err := s.cfg.Store.Get(id)
			if err != nil || !s.shows(source(r), e.Message) {
				continue // gone, or damaged: the store says so where it counts
			}
			size += len(e.Message.Wire())
			out.Messages = append(out.Messages, recordOf(e.Message.Wire(), e.Age))
		}
		return size, nil
	})
}

// ranged gives out messages of a channel, or of all, from a place on.
func (s *Server) ranged(r *http.Request, q query) func(*Messages) (int, error) {
	return func(out *Messages) (size int, err error) {
		var last reconcile.Key
		looks := 0
		for e, err := range s.ask(q) {
			if err != nil {
				return size, err
			}
			// What is not shown, such as the flood of somebody who was muted for it, must not make one page read the whole store.
			if looks++; len(out.Messages) == q.limit || size >= maxPageSize || looks > boardLooks {
				out.Next = cursorOf(last)
				break
			}
			last = e.Key()
			// Parts of photos are for who asks for them by name: a radio has better to do.
			if !s.shows(source(r), e.Message) || e.Message.Kind == protocol.KindChunk {
				continue
			}
			wire := e.Message.Wire()
			size += len(wire)
			out.Messages = append(out.Messages, recordOf(wire, e.Age))
		}
		return size, nil
	}
}
