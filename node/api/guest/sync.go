package guest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/reconcile"
)

// sessionKey names a session: nobody can use another guest's.
type sessionKey struct {
	guest string
	salt  reconcile.Salt
}

// sessions are the exchanges that are under way.
type sessions struct {
	now func() time.Time

	mu    sync.Mutex
	open  map[sessionKey]*session // guarded by mu; at most maxSessions
	turns uint64                  // guarded by mu; of all, ever: their order
}

// take is a guest's session of a name, made if there is none, with its mu held. nil: it is in use, or there is no room.
func (ss *sessions) take(guest string, salt reconcile.Salt) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	now := ss.now()
	key := sessionKey{guest, salt}
	s := ss.open[key]
	if s != nil && now.Sub(s.used) > sessionLife {
		s = nil
		delete(ss.open, key)
	}
	if s == nil {
		if !ss.room(guest, now) {
			return nil
		}
		s = newSession(salt)
		ss.open[key] = s
	}
	if !s.mu.TryLock() {
		return nil
	}
	ss.turns++
	s.used, s.turn = now, ss.turns
	return s
}

// room makes room for one more session of a guest: what has expired goes, then that guest's own oldest. The caller holds mu.
func (ss *sessions) room(guest string, now time.Time) bool {
	own := 0
	var oldest sessionKey
	var turn uint64
	for key, s := range ss.open {
		if now.Sub(s.used) > sessionLife {
			delete(ss.open, key)
			continue
		}
		if key.guest != guest {
			continue
		}
		if own++; own == 1 || s.turn < turn {
			oldest, turn = key, s.turn
		}
	}
	if own >= maxSessionsEach {
		delete(ss.open, oldest)
	}
	return len(ss.open) < maxSessions
}

// expire forgets what is over.
func (ss *sessions) expire() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	now := ss.now()
	for key, s := range ss.open {
		if now.Sub(s.used) > sessionLife {
			delete(ss.open, key)
		}
	}
}

// drop ends a session.
func (ss *sessions) drop(guest string, salt reconcile.Salt) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.open, sessionKey{guest, salt})
}

// sync is one turn of an exchange: what the page says, what it brings, what it asks for; and the same back.
func (s *Server) sync(w http.ResponseWriter, r *http.Request, v *visitor) {
	salt, ok := parseSalt(r.PathValue("session"))
	if !ok {
		refuse(w, http.StatusBadRequest, "a session is named by 16 random bytes", "in base64url: 22 characters")
		return
	}
	body, leave, ok := s.take(w, r, v, syncType)
	if !ok {
		return
	}
	defer leave()
	if len(body) == 0 {
		refuse(w, http.StatusBadRequest, "the body has no frames", "see GUEST.md")
		return
	}
	session := s.sessions.take(v.name, salt)
	if session == nil {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "the session is in use, or there are too many", "one request at a time; try again in a few seconds")
		return
	}
	defer session.mu.Unlock()
	done := s.charging(v)
	var err error
	t := turn{session: session, hub: s, from: source(r)}
	for rest := body; err == nil && len(rest) > 0; {
		var kind frame.Kind
		var payload []byte
		if kind, payload, rest, err = frame.Split(rest); err == nil {
			err = t.act(kind, payload)
		}
	}
	done()
	if err == nil && len(t.taken) > 0 {
		var verdicts []protocol.Verdict
		if verdicts, err = s.cfg.Door.OfferFrom(r.Context(), v.name, t.taken, true); err == nil && s.blame(v, verdicts) {
			err = fmt.Errorf("%w: messages that are not what they say", frame.ErrFrame)
		}
	}
	switch {
	case errors.Is(err, frame.ErrFrame):
		s.sessions.drop(v.name, salt)
		refuse(w, http.StatusBadRequest, err.Error(), "begin with another session")
		return
	case err != nil:
		s.sessions.drop(v.name, salt)
		s.storeFailed(w, err)
		return
	}
	t.pump()
	s.visitors.charge(v, len(t.out))
	w.Header().Set("Content-Type", syncType)
	_, _ = w.Write(t.out)
}

// parseSalt reads a session's name.
func parseSalt(text string) (reconcile.Salt, bool) {
	var salt reconcile.Salt
	if len(text) != base64.RawURLEncoding.EncodedLen(len(salt)) {
		return salt, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return salt, false
	}
	return reconcile.Salt(b), true
}
