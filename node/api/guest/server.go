package guest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/node/api/guest/page"
	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Door takes in what guests bring. A *node.Node is one.
type Door interface {
	// OfferFrom brings messages of a guest through the one door; asked says that this node wanted them.
	OfferFrom(ctx context.Context, guest string, in []protocol.CarryRecord, asked bool) ([]protocol.Verdict, error)
	// GuestLeft forgets what OfferFrom keeps of a guest.
	GuestLeft(guest string)
	// Carriers says of each message that a guest brought how many neighbours are known to have it; -1: nothing is known.
	Carriers(ids []protocol.ID) []int
}

// Reader gives messages out as they arrive. A *node.Node is one.
type Reader interface {
	Messages(context.Context, node.Query) iter.Seq2[store.Entry, error]
}

// Surroundings is what a node knows of itself and its neighbours. A *node.Node is one.
type Surroundings interface {
	Status() node.Status
	Peers() []node.Peer
	Scope() reconcile.Scope
}

// Config is what a Server is made from. New copies it.
type Config struct {
	Door    Door          // required
	Reader  Reader        // required
	Around  Surroundings  // required
	Store   *store.Store  // required; only read
	Mutes   *store.Mutes  // whose messages are not shown to guests; sync carries them. Nil: nobody's
	Catalog *page.Catalog // languages; required

	// Hub is the hub's name, as its operator gave it.
	Hub string
	// Port is the guest listener's: part of the one origin that a page is opened at. Required.
	Port int
	// URL is the origin, such as http://192.168.49.1:8440, where it is not the address that a guest reached this hub at: behind a router
	// that forwards. Empty: that address.
	URL string
	// Channels are the names of public channels that the board shows by name: tags do not tell, and the operator's own channels are
	// nobody's business.
	Channels []string
	// Forms allows writing without script; see form.go. Who turns it on lets strangers write under a key of the hub's.
	Forms bool
	// Came hears of each guest that is new here. Nil: nobody does.
	Came func(guest string)
	// Page is the page with script, as the build of cmd/longear/web leaves it: page.json, and files compressed with gzip. nil, or
	// without page.json: there is the board alone.
	Page fs.FS

	Log *slog.Logger     // nil: discard
	Now func() time.Time // nil: the real clock
	// Watch measures what a guest costs the hub. Nil: the real clock. It is not Now: a test that moves that does no work.
	Watch func() time.Time
}

// Server serves guests. It is safe for concurrent use; Run must run beside it.
type Server struct {
	cfg      Config
	origin   string // of cfg.URL, without a slash; "" if there is none
	mux      *http.ServeMux
	visitors *visitors
	gate     gate
	feed     *feed
	sessions *sessions
	counted  counted
	tallies  *node.Tallies
	status   recent
	names    map[protocol.Channel]string
	files    *pageFiles
	form     ed25519.PrivateKey // signs what comes by form; nil: no forms
	secret   [32]byte           // of the tokens in forms
	made     time.Time          // when New was called; store receipts before it are not news
}

// New makes a server.
func New(c Config) (*Server, error) {
	if c.Door == nil || c.Reader == nil || c.Around == nil || c.Store == nil || c.Catalog == nil || c.Port <= 0 {
		return nil, errors.New("guest: Door, Reader, Around, Store, Catalog and Port are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Watch == nil {
		c.Watch = time.Now
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{cfg: c, made: c.Now(), mux: http.NewServeMux(), names: make(map[protocol.Channel]string), tallies: node.NewTallies(c.Store, c.Mutes)}
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Scheme != "http" || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
			return nil, fmt.Errorf("guest: %q is not an address like http://192.168.49.1:8440/", c.URL)
		}
		s.origin = "http://" + u.Host
	}
	for _, name := range c.Channels {
		canonical, err := protocol.ParseChannelName(name)
		if err != nil {
			return nil, fmt.Errorf("guest: channel %q: %w", name, err)
		}
		tag, err := protocol.PublicChannel(canonical)
		if err != nil {
			return nil, fmt.Errorf("guest: channel %q: %w", name, err)
		}
		s.names[tag] = canonical
	}
	var err error
	if s.files, err = readPage(c.Page); err != nil {
		return nil, err
	}
	if c.Forms {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, fmt.Errorf("guest: make a key for forms: %w", err)
		}
		s.form = key
	}
	rand.Read(s.secret[:]) // never fails (crypto/rand)
	var epoch [6]byte
	rand.Read(epoch[:])
	s.feed = &feed{epoch: hex.EncodeToString(epoch[:]), first: 1, moved: make(chan struct{})}
	s.visitors = newVisitors(c.Now, c.Came, c.Door.GuestLeft)
	s.sessions = &sessions{now: c.Now, open: make(map[sessionKey]*session)}
	s.routes()
	return s, nil
}

// startHistory is how many of the newest stored messages are looked at when following begins: more than come in the moment
// between New and then.
const startHistory = 256

// routed is a handler that knows who is asking.
type routed func(w http.ResponseWriter, r *http.Request, v *visitor)

func (s *Server) routes() {
	for pattern, h := range map[string]routed{
		"GET /guest/state":           s.state,
		"GET /guest/channels":        s.channels,
		"GET /guest/messages":        s.messages,
		"GET /guest/events":          s.events,
		"GET /guest/carried":         s.carried,
		"POST /guest/messages":       s.post,
		"POST /guest/sync/{session}": s.sync,
		"GET /{$}":                   s.board,
		"GET /page/{file}":           s.pageFile,
		"POST /post":                 s.postForm,
		"GET /signin":                s.signIn,
		"POST /signin":               s.goOnline,
		"/": func(w http.ResponseWriter, r *http.Request, _ *visitor) {
			refuse(w, http.StatusNotFound, "there is nothing here", "open /")
		},
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v := s.visitors.meet(source(r))
			if v == nil { // others came in between
				tooMuch(w)
				return
			}
			h(w, r, v)
		})
	}
}

// Run follows what arrives, for the streams, and forgets what is over, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		// A guest may be served a moment before this begins: what was taken in since New is in the history.
		for e, err := range s.cfg.Reader.Messages(ctx, node.Query{Live: true, History: startHistory}) {
			if err != nil {
				return fmt.Errorf("follow messages for guests: %w", err)
			}
			if e.Received.Before(s.made) {
				continue
			}
			s.feed.add(e, s.cfg.Now())
		}
		return nil
	})
	g.Go(func() error {
		tick := time.NewTicker(sessionLife / 2)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				s.sessions.expire()
				s.visitors.forget()
			}
		}
	})
	return g.Wait()
}

// Serve answers guests on a listener until ctx ends. It may serve several: the one of Config.Port, and one at port 80 where
// phones send their probes. All share the bounds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		// What the standard server logs holds addresses.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(gated{Listener: l, gate: &s.gate}); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve guests: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-gctx.Done()
		defer s.gate.shut()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(last) != nil {
			return srv.Close()
		}
		return nil
	})
	return g.Wait()
}
