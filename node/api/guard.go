package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Media types of request bodies. Neither is among the three that a web page may send to another
// origin without asking first.
const (
	jsonType  = "application/json"
	carryType = "application/vnd.longear.carry"
)

// guard stands before the routes of the loopback listener. A page in the user's browser can reach
// 127.0.0.1 from any network, by a name that resolves to it (DNS rebinding) or directly (CSRF); the
// checks are ordered so that nothing of the request is routed before all passed.
type guard struct {
	port   string
	tokens [][sha256.Size]byte // hashes of the bearer tokens: comparing hashes hides their length too
	cross  *http.CrossOriginProtection
	page   http.Handler // the operator's page, which is the same for all and holds nothing of the node
	next   http.Handler
}

func newGuard(port int, tokens []string, page, next http.Handler) *guard {
	g := &guard{port: strconv.Itoa(port), cross: http.NewCrossOriginProtection(), page: page, next: next}
	for _, t := range tokens {
		g.tokens = append(g.tokens, sha256.Sum256([]byte(t)))
	}
	return g
}

// ServeHTTP lets a request through or refuses it.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	if !g.hostAllowed(r.Host) {
		refuse(w, http.StatusForbidden, Fail(Usage, "this Host is not allowed",
			"use 127.0.0.1:"+g.port+", localhost:"+g.port+" or [::1]:"+g.port))
		return
	}
	if err := g.foreign(r); err != nil {
		refuse(w, http.StatusForbidden, Fail(Usage, err.Error(), "pages of other origins may not use the API"))
		return
	}
	// The page's own files come without a token: a browser sends none when it opens an address.
	if isPage(r) {
		g.page.ServeHTTP(w, r)
		return
	}
	if !g.tokenRight(r.Header) {
		h.Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, Fail(Usage, "no token, or a wrong one",
			"open the page anew with longear page; programs send \"Authorization: Bearer TOKEN\", with the token in the file api-token of the node's state folder"))
		return
	}
	g.next.ServeHTTP(w, r)
}

// hostAllowed compares with the only three names of this listener, byte for byte.
func (g *guard) hostAllowed(host string) bool {
	return host == "127.0.0.1:"+g.port || host == "localhost:"+g.port || host == "[::1]:"+g.port
}

// foreign refuses a request that a browser says comes from another origin. The standard check lets safe
// methods pass; here they need the same origin too, because a GET can stream what the person reads.
func (g *guard) foreign(r *http.Request) error {
	if origin := r.Header.Values("Origin"); len(origin) > 0 {
		host, isHTTP := strings.CutPrefix(origin[0], "http://")
		if len(origin) > 1 || !isHTTP || !g.hostAllowed(host) || host != r.Host {
			return fmt.Errorf("this Origin is not allowed")
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return fmt.Errorf("this request comes from another site")
	}
	return g.cross.Check(r)
}

func (g *guard) tokenRight(h http.Header) bool {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	sum := sha256.Sum256([]byte(token))
	right := 0
	for i := range g.tokens {
		right |= subtle.ConstantTimeCompare(sum[:], g.tokens[i][:])
	}
	return strings.EqualFold(scheme, "Bearer") && right == 1
}

// typed checks the media type of a request's body: exactly one header, exactly the type.
func typed(r *http.Request, want string) bool {
	values := r.Header.Values("Content-Type")
	if len(values) != 1 {
		return false
	}
	got, _, err := mime.ParseMediaType(values[0])
	return err == nil && got == want
}

// loopback reads the address of the TCP listener. Anything but a literal loopback address is refused:
// names can be made to resolve to anything, and the API is not for the network.
func loopback(addr string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().IsLoopback() || at.Addr().Is4In6() || at.Addr().Zone() != "" {
		return netip.AddrPort{}, Fail(Usage, fmt.Sprintf("the API may not listen on %q", addr), "give 127.0.0.1:PORT")
	}
	return at, nil
}

// portOf is the port that a listener got.
func portOf(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}
