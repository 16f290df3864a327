package guest

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"longear/node/api/guest/page"
)

// Media types of bodies. No page of another origin may send either without asking first, and nobody here ever says yes.
const (
	recordsType = "application/vnd.longear.records"
	syncType    = "application/vnd.longear.sync"
	formType    = "application/x-www-form-urlencoded"
)

// ServeHTTP lets a request through or refuses it: budget, probes, Host, Origin, in this order, before anything is routed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime))
	_ = rc.SetWriteDeadline(time.Now().Add(answerTime))
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	v := s.visitors.meet(source(r))
	if v == nil || !s.visitors.request(v) {
		late(r.Context())
		tooMuch(w)
		return
	}
	if p, ok := probeOf(r); ok {
		s.answerProbe(w, r, v, p)
		return
	}
	switch s.hostOf(r) {
	case foreign:
		refuse(w, http.StatusForbidden, "this hub has another address", "open "+s.originOf(r)+"/")
		return
	case alias:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuse(w, http.StatusForbidden, "this hub has another address", "open "+s.originOf(r)+"/")
			return
		}
		// Storage in a browser belongs to an origin: every page is opened at one only.
		w.Header().Set("Location", s.originOf(r)+r.URL.RequestURI())
		w.WriteHeader(http.StatusFound)
		return
	}
	if !s.sameOrigin(r) {
		refuse(w, http.StatusForbidden, "pages of other origins may not use this hub", "")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// late lets a guest who asks too fast wait for the refusal.
func late(ctx context.Context) {
	t := time.NewTimer(lateBy)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// place is what the Host of a request says.
type place uint8

const (
	foreign place = iota // not ours: a name that somebody made resolve to this hub
	home                 // the one origin
	alias                // this hub, in another spelling
)

// hostOf compares Host with the addresses of this hub, byte for byte. The only addresses that can be meant are the configured one
// and the one that this connection has come to; no list of interfaces is needed, and none can be out of date.
func (s *Server) hostOf(r *http.Request) place {
	local := localAddr(r)
	if r.Host != "" && "http://"+r.Host == s.originOf(r) {
		return home
	}
	if !local.IsValid() {
		return foreign
	}
	bare := local.Addr().String()
	if local.Addr().Is6() {
		bare = "[" + bare + "]"
	}
	port := strconv.Itoa(s.cfg.Port)
	switch r.Host {
	case bare, bare + ":80", bare + ":" + port:
		return alias
	}
	if name, _, err := net.SplitHostPort(strings.TrimPrefix(s.origin, "http://")); err == nil && r.Host == name {
		return alias
	}
	return foreign
}

// originOf is where the page of this hub is to be opened by who sent a request.
func (s *Server) originOf(r *http.Request) string {
	if s.origin != "" {
		return s.origin
	}
	return "http://" + netip.AddrPortFrom(localAddr(r).Addr(), uint16(s.cfg.Port)).String()
}

// localAddr is the address of this hub that a request came to.
func localAddr(r *http.Request) netip.AddrPort {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.AddrPort{}
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

// sameOrigin refuses what a browser says comes from a page of another origin. Browsers add Origin to every POST and to every
// fetch that crosses origins. Forms are let through with Origin null, which a page with no-referrer sends, and without any, which old
// sign-in windows do: they carry a token instead, see form.go.
func (s *Server) sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	isForm := r.Method == http.MethodPost && (r.URL.Path == "/post" || r.URL.Path == "/signin")
	switch {
	case len(origins) > 1:
		return false
	case len(origins) == 1 && origins[0] == "null":
		return isForm
	case len(origins) == 1 && origins[0] != "http://"+r.Host:
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	// A link on another page may lead to a page here, and nowhere else.
	return r.Method == http.MethodGet && (r.URL.Path == "/" || r.URL.Path == "/signin")
}

// typed checks the media type of a request's body: exactly one header, exactly the type. The operator's API has the same lines: neither
// of the two listeners may import the other, and a third folder for both would be longer than they are.
func typed(r *http.Request, want string) bool {
	values := r.Header.Values("Content-Type")
	if len(values) != 1 {
		return false
	}
	got, _, err := mime.ParseMediaType(values[0])
	return err == nil && got == want
}

// take reads a body of a type within a bound, in one of the guest's places. False: it was refused already.
func (s *Server) take(w http.ResponseWriter, r *http.Request, v *visitor, want string) (body []byte, leave func(), ok bool) {
	most := map[string]int64{recordsType: maxPostBody, syncType: maxSyncBody, formType: maxFormBody}[want]
	switch {
	case !typed(r, want):
		refuse(w, http.StatusUnsupportedMediaType, "the body has another type", "Content-Type: "+want)
		return nil, nil, false
	case r.Header.Get("Content-Encoding") != "":
		refuse(w, http.StatusUnsupportedMediaType, "the body is encoded", "send it as it is")
		return nil, nil, false
	case r.ContentLength > most:
		refuse(w, http.StatusRequestEntityTooLarge, "the body is too large", "at most "+strconv.FormatInt(most, 10)+" bytes")
		return nil, nil, false
	case !s.visitors.solvent(v):
		tooMuch(w)
		return nil, nil, false
	}
	leave, ok = s.visitors.body(v)
	if !ok {
		tooMuch(w)
		return nil, nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	s.visitors.charge(v, len(body))
	if err != nil {
		leave()
		status, what := http.StatusBadRequest, "the body did not come"
		if int64(len(body)) >= most {
			status, what = http.StatusRequestEntityTooLarge, "the body is too large"
		}
		refuse(w, status, what, "at most "+strconv.FormatInt(most, 10)+" bytes, within "+bodyTime.String())
		return nil, nil, false
	}
	return body, leave, true
}

// failure is an error as a page gets to see it.
type failure struct {
	Type string `json:"type"` // always "error"
	What string `json:"error"`
	Fix  string `json:"fix,omitempty"`
}

// refuse answers with a failure.
func refuse(w http.ResponseWriter, status int, what, fix string) {
	answer(w, status, failure{Type: "error", What: what, Fix: fix})
}

// tooMuch tells a guest to slow down.
func tooMuch(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	refuse(w, http.StatusTooManyRequests, "too much at once", "try again in a few seconds")
}

// answer writes one JSON object.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

// show writes a page. It may use its own style and send its forms here; nothing else, but for the scripts of this hub if it has some.
func show(w http.ResponseWriter, html []byte, scripts bool) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(html)))
	policy := "default-src 'none'; style-src " + page.StyleHash()
	if scripts {
		policy += " 'self'; " + scriptPolicy + "; img-src blob: data:"
	}
	h.Set("Content-Security-Policy", policy+"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_, _ = w.Write(html)
}
