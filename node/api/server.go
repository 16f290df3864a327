package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// Keeper takes messages in. A *node.Node is one.
type Keeper interface {
	// PostOwn keeps a message that the person of this node wrote and sends it on its way.
	PostOwn(context.Context, *protocol.Message) error
	// Import takes a carry file in.
	Import(context.Context, iter.Seq2[protocol.CarryRecord, error]) (node.Imported, error)
}

// Reader gives messages out. A *node.Node is one.
type Reader interface {
	Messages(context.Context, node.Query) iter.Seq2[store.Entry, error]
	Life(protocol.ID) (node.Life, error)
}

// Links is what a node knows of its surroundings. A *node.Node is one.
type Links interface {
	Status() node.Status
	Peers() []node.Peer
	Connect(addr string) error
}

// Past is what a node remembers of the last hour. A *node.Node is one.
type Past interface {
	PerMinute() map[string][]uint32
	Events() []node.Event
}

// Muter says who is not to be heard. A *node.Node is one.
type Muter interface {
	Mute(context.Context, store.Mute) error
	Unmute(context.Context, protocol.Author) error
}

// Config is what a Server is made from. New copies it.
type Config struct {
	Keeper Keeper       // required
	Reader Reader       // required
	Links  Links        // nil: no node is running, and what asks for one is refused
	Store  *store.Store // required; only read, but for receipts and files that did not fit
	Desk   *Desk        // required
	Log    *slog.Logger // nil: discard

	Muter  Muter                                     // mutes and unmutes; nil: nobody can be muted
	Mutes  *store.Mutes                              // who is muted; nil: nobody
	Past   Past                                      // nil: nothing is remembered
	Guests func() int                                // phones that are here; nil: none are served
	Doctor func(context.Context) []Finding           // looks for what is wrong; nil: nobody does
	Stop   func()                                    // ends the node, and returns at once; nil: it cannot be ended from here
	Page   func(context.Context) (PageReport, error) // serves the operator's page, see Loopback; nil: nothing serves it
}

// Server answers other programs on this machine.
type Server struct {
	cfg       Config
	watches   chan struct{} // of size maxWatches: a token for each open stream; when none is left a stream is refused
	counted   chan counted  // of size 1: the last count of classes, taken out by who looks at it
	doctoring chan struct{} // of size 1: a token for the one who examines
	tallies   *node.Tallies
}

// Bounds on what clients may use.
const (
	maxWatches   = 32
	maxRequest   = 256 << 10        // of a JSON body: MaxBody of text in which every byte is an escape of six
	headerTime   = 5 * time.Second  // to send a request's header
	requestTime  = 30 * time.Second // to send a JSON body, and to take an answer
	streamTime   = 30 * time.Second // for each step of a stream
	idleTime     = 2 * time.Minute
	shutdownTime = 3 * time.Second
)

// New makes a server.
func New(c Config) (*Server, error) {
	if c.Keeper == nil || c.Reader == nil || c.Store == nil || c.Desk == nil {
		return nil, errors.New("api: Keeper, Reader, Store and Desk are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg: c, watches: make(chan struct{}, maxWatches), counted: make(chan counted, 1), doctoring: make(chan struct{}, 1),
		tallies: node.NewTallies(c.Store, c.Mutes),
	}
	s.counted <- counted{}
	return s, nil
}

// Handler is the API without any guard: for a Unix socket that only its owner can open.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", s.status)
	mux.HandleFunc("GET /v1/peers", s.peers)
	mux.HandleFunc("GET /v1/live", s.live)
	mux.HandleFunc("GET /v1/events", s.events)
	mux.HandleFunc("GET /v1/store", s.room)
	mux.HandleFunc("GET /v1/doctor", s.doctor)
	mux.HandleFunc("GET /v1/messages", s.watch)
	mux.HandleFunc("GET /v1/messages/{id}", s.why)
	mux.HandleFunc("GET /v1/messages/{id}/file", s.file)
	mux.HandleFunc("GET /v1/channels", s.channels)
	mux.HandleFunc("GET /v1/carry/out", s.carryOut)
	mux.HandleFunc("POST /v1/messages", s.post)
	mux.HandleFunc("POST /v1/files", s.sendFile)
	mux.HandleFunc("POST /v1/messages/{id}/receipt", s.sendReceipt)
	mux.HandleFunc("POST /v1/messages/{id}/responses", s.respond)
	mux.HandleFunc("POST /v1/connect", s.connect)
	mux.HandleFunc("POST /v1/channels", s.join)
	mux.HandleFunc("DELETE /v1/channels/{name}", s.leave)
	mux.HandleFunc("POST /v1/carry/in", s.carryIn)
	mux.HandleFunc("GET /v1/mutes", s.listMutes)
	mux.HandleFunc("PUT /v1/mutes/{author}", s.mute)
	mux.HandleFunc("DELETE /v1/mutes/{author}", s.unmute)
	mux.HandleFunc("POST /v1/page", s.openPage)
	mux.HandleFunc("POST /v1/stop", s.stop)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, Fail(NotFound, "there is no "+r.Method+" "+r.URL.Path, ""))
	})
	return mux
}

// ListenLoopback opens the TCP listener of the API; anything but loopback is refused.
func ListenLoopback(addr string) (net.Listener, int, error) {
	at, err := loopback(addr)
	if err != nil {
		return nil, 0, err
	}
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, 0, fmt.Errorf("listen for the API: %w", err)
	}
	return l, portOf(l), nil
}

// Serve answers on a listener until ctx ends, then lets short requests finish and cuts streams off.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    16 << 10,
		// Requests end with ctx, so that streams do.
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the API: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-gctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			return srv.Close()
		}
		return nil
	})
	return g.Wait()
}

// recentReceipts is how many direct messages are looked at again when following begins: those that came between the
// reading of the store and that moment.
const recentReceipts = 64

// Receipts notes which of this person's own direct messages were read: first from what is stored, which may have come in a
// file while no node ran, then from what arrives. It returns nil when ctx ends. Receipts are for display only, so what goes
// wrong is logged and ends nothing.
func (s *Server) Receipts(ctx context.Context) error {
	for e, err := range s.cfg.Store.Channel(protocol.DirectChannel()) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.cfg.Log.Warn("receipts could not be read", "err", err)
			break
		}
		s.note(ctx, e.Message)
	}
	q := node.Query{Channel: protocol.DirectChannel(), History: recentReceipts, Live: true}
	for e, err := range s.cfg.Reader.Messages(ctx, q) {
		if err != nil {
			s.cfg.Log.Warn("receipts could not be followed", "err", err)
			break
		}
		s.note(ctx, e.Message)
	}
	return nil
}

// note takes a message for a receipt, if it is one by the reader of a letter of ours.
func (s *Server) note(ctx context.Context, m *protocol.Message) {
	p, _ := s.cfg.Desk.open(m)
	if p == nil || p.Kind() != protocol.Receipt {
		return
	}
	for _, id := range p.Parents() {
		if !s.cfg.Desk.letters.isFor(id, p.Author()) {
			continue
		}
		if err := s.cfg.Store.Seen(ctx, id); err != nil {
			s.cfg.Log.Warn("a receipt could not be noted", "id", id, "err", err)
		}
	}
}

// answer writes one object, or the error instead.
func (s *Server) answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		e := asError(err)
		refuse(w, e.Code.status(), e)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = writeLine(w, v)
}

// begin sets the deadlines of a short request and takes its JSON body, if it has one. False: it was answered already.
func begin(w http.ResponseWriter, r *http.Request, body any) bool {
	return beginUpTo(w, r, body, maxRequest)
}

// beginUpTo is begin for a body of at most so many bytes.
func beginUpTo(w http.ResponseWriter, r *http.Request, body any, most int64) bool {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(requestTime))
	_ = rc.SetWriteDeadline(time.Now().Add(requestTime))
	if body == nil {
		return true
	}
	if !typed(r, jsonType) {
		refuse(w, http.StatusUnsupportedMediaType, Fail(Usage, "the body must be JSON", "Content-Type: "+jsonType))
		return false
	}
	if err := decodeBody(http.MaxBytesReader(w, r.Body, most), body); err != nil {
		status := http.StatusBadRequest
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status, Fail(Usage, "the body: "+err.Error(), ""))
		return false
	}
	// Reading is over: the deadline would otherwise end a slow answer's request.
	_ = rc.SetReadDeadline(time.Time{})
	return true
}

// links is the running node, or the error that there is none.
func (s *Server) links() (Links, error) {
	if s.cfg.Links == nil {
		return nil, Fail(NoNode, "no node is running", "longear relay")
	}
	return s.cfg.Links, nil
}

// stream is an answer in parts. It has a deadline for each part instead of one for all.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newStream(w http.ResponseWriter, contentType string) *stream {
	w.Header().Set("Content-Type", contentType)
	return &stream{w: w, rc: http.NewResponseController(w)}
}

// Write sends part of the answer within the deadline.
func (s *stream) Write(b []byte) (int, error) {
	if err := s.rc.SetWriteDeadline(time.Now().Add(streamTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return s.w.Write(b)
}

// steady is a request body in parts, with a deadline for each.
type steady struct {
	body io.Reader
	rc   *http.ResponseController
}

// Read takes part of the body within the deadline.
func (s *steady) Read(b []byte) (int, error) {
	if err := s.rc.SetReadDeadline(time.Now().Add(streamTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return s.body.Read(b)
}
