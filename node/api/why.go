package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"longear/protocol"
	"longear/store"
)

// minPrefix is how much of an ID must be given: 20 bits.
const minPrefix = 4

// why tells the life of the message whose ID begins as given.
func (s *Server) why(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	report, err := s.life(r.Context(), strings.ToLower(r.PathValue("id")))
	s.answer(w, report, err)
}

func (s *Server) life(ctx context.Context, prefix string) (LifeReport, error) {
	id, err := s.find(prefix)
	if err != nil {
		return LifeReport{}, err
	}
	life, err := s.cfg.Reader.Life(id)
	if errors.Is(err, store.ErrNotFound) {
		return LifeReport{}, notHere(id.Short())
	}
	if err != nil {
		return LifeReport{}, err
	}
	report := LifeReport{Type: "life", Life: life}
	// What has died here still has a life to tell, but no text.
	report.Message = Message{Type: "message", ID: id.String(), Parents: []string{}, Sealed: true, Own: life.Own, Delivery: life.State}
	if e, err := s.cfg.Store.Get(id); err == nil {
		report.Message = s.show(ctx, e)
	} else if !errors.Is(err, store.ErrNotFound) {
		return LifeReport{}, err
	}
	return report, nil
}

// find completes the beginning of an ID. It reads the whole store when the ID is not whole: a person asks seldom.
func (s *Server) find(prefix string) (protocol.ID, error) {
	if id, err := protocol.ParseID(prefix); err == nil {
		return id, nil
	}
	var none, found protocol.ID
	if len(prefix) < minPrefix || len(prefix) > len(none.String()) || strings.Trim(prefix, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return none, Fail(Usage, "that is not the beginning of a message ID", "give at least 4 of its letters and digits")
	}
	for e, err := range s.cfg.Store.Newest() {
		if err != nil {
			return none, err
		}
		if !strings.HasPrefix(e.Message.ID.String(), prefix) {
			continue
		}
		if found != none {
			return none, Fail(Usage, "several messages begin with "+prefix, "give more of the ID")
		}
		found = e.Message.ID
	}
	if found == none {
		return none, notHere(prefix)
	}
	return found, nil
}

func notHere(id string) error {
	return Fail(NotFound, "there is no message "+id+" here", "it may have expired, or not have arrived yet")
}
