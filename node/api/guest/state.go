package guest

import (
	"net/http"
	"sync"
	"time"

	"longear/protocol"
)

// State is the answer to GET /guest/state: what a page needs for one honest line, and the bounds that it must keep.
type State struct {
	Type       string `json:"type"`  // always "state"
	Start      string `json:"start"` // names this run of the hub, as the IDs of events do
	Hub        string `json:"hub"`
	Guests     int    `json:"guests"`     // here in the last two minutes, the one who asks included
	Neighbours int    `json:"neighbours"` // nodes that this hub is connected to
	LastSync   *int64 `json:"last_sync_seconds"`
	Messages   int64  `json:"messages"`
	Forms      bool   `json:"forms"`
	Scope      Scope  `json:"scope"`
	Limits     Limits `json:"limits"`
}

// Scope is what the hub wants to have: less than everything when its store is nearly full.
type Scope struct {
	Classes uint16 `json:"classes"`        // a bit (1 << rank) for each
	Oldest  uint64 `json:"oldest_created"` // ms, a multiple of 2^24
}

// Limits are what one request may hold.
type Limits struct {
	MaxBody     int `json:"max_body_bytes"`       // of one message's body
	PostBytes   int `json:"post_bytes"`           // of POST /guest/messages
	PostRecords int `json:"post_records"`         // likewise
	SyncBytes   int `json:"sync_bytes"`           // of POST /guest/sync
	Session     int `json:"sync_session_seconds"` // after which an idle session is forgotten
}

// recent is the node's state as of a second ago: asking a node takes locks that its links want.
type recent struct {
	mu   sync.Mutex
	last line
	at   time.Time
}

// line is what is told of the node.
type line struct {
	neighbours int
	messages   int64
	synced     time.Time // zero: never
}

// now is the line, at most a second old.
func (s *Server) now() line {
	r := &s.status
	r.mu.Lock()
	defer r.mu.Unlock()
	now := s.cfg.Now()
	if !r.at.IsZero() && now.Sub(r.at) < time.Second {
		return r.last
	}
	next := line{messages: s.cfg.Around.Status().Messages, synced: r.last.synced}
	// Parts of photos are not among what people said.
	if parts, err := s.cfg.Store.MediaCount(); err == nil {
		next.messages = max(0, next.messages-parts)
	}
	for _, p := range s.cfg.Around.Peers() {
		next.neighbours++
		if p.LastSync.After(next.synced) {
			next.synced = p.LastSync
		}
	}
	r.last, r.at = next, now
	return next
}

func (s *Server) state(w http.ResponseWriter, _ *http.Request, _ *visitor) {
	l, scope := s.now(), s.cfg.Around.Scope()
	out := State{
		Type: "state", Start: s.feed.epoch, Hub: s.cfg.Hub, Guests: s.visitors.present(), Neighbours: l.neighbours, Messages: l.messages,
		Forms: s.form != nil, Scope: Scope{Classes: scope.Ranks, Oldest: scope.Floor},
		Limits: Limits{
			MaxBody: protocol.MaxBody, PostBytes: maxPostBody, PostRecords: maxPostRecords, SyncBytes: maxSyncBody,
			Session: int(sessionLife / time.Second),
		},
	}
	if !l.synced.IsZero() {
		ago := max(0, int64(s.cfg.Now().Sub(l.synced)/time.Second))
		out.LastSync = &ago
	}
	answer(w, http.StatusOK, out)
}
