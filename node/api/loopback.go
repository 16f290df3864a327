package api

import (
	"context"
	"crypto/rand"
	"io/fs"
	"net"
	"net/http"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// PageReport says where the operator's page is.
type PageReport struct {
	Type string `json:"type"` // always "page"
	// URL has the token in its fragment, which browsers keep to themselves: whoever has it has the node.
	URL string `json:"url"`
}

// Loopback is the API's TCP listener on this machine, and the operator's page on it. It listens from the start if Listen was called,
// else from the first time that somebody asks for the page over the socket: what nobody needs does not listen.
type Loopback struct {
	page  http.Handler
	token string   // for the page: new at every start and never on disk, so that an address from a browser's memory is worth nothing later
	also  []string // other tokens that are good here

	listener net.Listener     // set by Listen, else by Run, which owns it from then on
	asked    chan chan<- open // unbuffered: Run takes one at a time
}

// open is what became of asking for the page.
type open struct {
	at  PageReport
	err error
}

// NewLoopback makes one that does not listen yet. files is the built page, nil if there is none.
func NewLoopback(files fs.FS) *Loopback {
	return &Loopback{page: newPage(files), token: rand.Text(), asked: make(chan chan<- open)}
}

// Listen opens the listener now, at a loopback address, for who has the token. It is called before Run or not at all.
func (l *Loopback) Listen(addr, token string) (net.Addr, error) {
	listener, _, err := ListenLoopback(addr)
	if err != nil {
		return nil, err
	}
	l.listener, l.also = listener, append(l.also, token)
	return listener.Addr(), nil
}

// Close closes the listener of a Loopback that never ran.
func (l *Loopback) Close() error {
	if l.listener == nil {
		return nil
	}
	return l.listener.Close()
}

// Run serves the API of a server until ctx ends.
func (l *Loopback) Run(ctx context.Context, s *Server) error {
	g, ctx := errgroup.WithContext(ctx)
	serve := func() {
		front := newGuard(portOf(l.listener), append(l.also, l.token), l.page, s.Handler())
		g.Go(func() error { return Serve(ctx, l.listener, front) })
	}
	if l.listener != nil {
		serve()
	}
	g.Go(func() error {
		for {
			var answer chan<- open
			select {
			case <-ctx.Done():
				return nil
			case answer = <-l.asked:
			}
			if l.listener == nil {
				listener, _, err := ListenLoopback("127.0.0.1:0")
				if err != nil {
					answer <- open{err: err}
					continue
				}
				l.listener = listener
				serve()
			}
			answer <- open{at: l.report()}
		}
	})
	return g.Wait()
}

func (l *Loopback) report() PageReport {
	port := strconv.Itoa(portOf(l.listener))
	return PageReport{Type: "page", URL: "http://127.0.0.1:" + port + "/#" + l.token}
}

// Page opens the listener if it is not open, and says where the page is. Run must be running.
func (l *Loopback) Page(ctx context.Context) (PageReport, error) {
	answer := make(chan open, 1) // so that Run never waits for who has gone
	select {
	case l.asked <- answer:
	case <-ctx.Done():
		return PageReport{}, ctx.Err()
	}
	select {
	case got := <-answer:
		return got.at, got.err
	case <-ctx.Done():
		return PageReport{}, ctx.Err()
	}
}
