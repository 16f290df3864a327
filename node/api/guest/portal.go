package guest

import (
	"net"
	"net/http"
	"strings"
)

// Captive portal. A phone that joins a Wi-Fi asks addresses of its maker's whether there is internet. In a hub's Wi-Fi every name
// resolves to the hub, so the hub answers.
//
//	new ──probe──> redirect to /signin ──button──> online ──hours without a sight──> new
//
// A phone that is new is redirected, which opens its sign-in window: that is how people find the board. Once they press the
// button, its probes are answered exactly as its maker would: otherwise iOS asks again and drops the network within a minute, and
// Android goes back to mobile data. The state is that of the source address, see visitor, and is lost with it.
//
// These are the only requests that may come with a Host of somebody else's. Their answers hold nothing from the store: a page
// that makes a name of its own resolve to the hub learns nothing by them.

// probe is a request by which a system looks for the internet, and the answer that tells it that there is.
type probe struct {
	hosts  string // "" any: each maker has its own name for the same path
	path   string
	status int
	kind   string // media type; "" no body
	body   string
	nm     bool // NetworkManager's own header
}

// appleBody is what every system of Apple's has expected since 2012.
const appleBody = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"

// probes are those that were recorded, by host and path. Windows opens /redirect in a browser when its probe fails: it
// is never answered but with the page itself.
var probes = [...]probe{
	// Android, ChromeOS and Chrome: any maker's host.
	{path: "/generate_204", status: http.StatusNoContent},
	{path: "/gen_204", status: http.StatusNoContent},
	// iOS and macOS.
	{hosts: "captive.apple.com", path: "/hotspot-detect.html", status: http.StatusOK, kind: "text/html", body: appleBody},
	{hosts: "captive.apple.com", path: "/", status: http.StatusOK, kind: "text/html", body: appleBody},
	{hosts: "www.apple.com www.appleiphonecell.com www.itools.info www.ibook.info www.airport.us www.thinkdifferent.us", path: "/library/test/success.html", status: http.StatusOK, kind: "text/html", body: appleBody},
	// Windows.
	{hosts: "www.msftconnecttest.com ipv6.msftconnecttest.com", path: "/connecttest.txt", status: http.StatusOK, kind: "text/plain", body: "Microsoft Connect Test"},
	{hosts: "www.msftncsi.com ipv6.msftncsi.com", path: "/ncsi.txt", status: http.StatusOK, kind: "text/plain", body: "Microsoft NCSI"},
	{hosts: "www.msftconnecttest.com", path: "/redirect"},
	// Firefox.
	{hosts: "detectportal.firefox.com", path: "/canonical.html", status: http.StatusOK, kind: "text/html", body: `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`},
	{hosts: "detectportal.firefox.com", path: "/success.txt", status: http.StatusOK, kind: "text/plain", body: "success\n"},
	// NetworkManager: each distribution has its own address and expected text.
	{hosts: "nmcheck.gnome.org www.archlinux.org", path: "/check_network_status.txt", status: http.StatusOK, kind: "text/plain", body: "NetworkManager is online\n", nm: true},
	{hosts: "network-test.debian.org", path: "/nm", status: http.StatusOK, kind: "text/plain", body: "NetworkManager is online\n", nm: true},
	{hosts: "fedoraproject.org", path: "/static/hotspot.txt", status: http.StatusOK, kind: "text/plain", body: "OK"},
	{hosts: "connectivity-check.ubuntu.com", path: "/", status: http.StatusNoContent, nm: true},
	{hosts: "ping.archlinux.org", path: "/nm-check.txt", status: http.StatusOK, kind: "text/plain", body: "NetworkManager is online\n", nm: true},
}

// probeOf is the probe that a request is, if it is one.
func probeOf(r *http.Request) (probe, bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return probe{}, false
	}
	host := r.Host
	if name, port, err := net.SplitHostPort(host); err == nil && port == "80" {
		host = name
	}
	for _, p := range probes {
		if p.path != r.URL.Path {
			continue
		}
		for h := range strings.FieldsSeq(p.hosts) {
			if strings.EqualFold(h, host) {
				return p, true
			}
		}
		if p.hosts == "" {
			return p, true
		}
	}
	return probe{}, false
}

// answerProbe sends a system to the sign-in page, or tells it that it is online.
func (s *Server) answerProbe(w http.ResponseWriter, r *http.Request, v *visitor, p probe) {
	h := w.Header()
	if p.status == 0 || !s.visitors.isOnline(v) {
		h.Set("Location", s.originOf(r)+"/signin")
		w.WriteHeader(http.StatusFound)
		return
	}
	if p.nm {
		h.Set("X-NetworkManager-Status", "online")
	}
	if p.kind != "" {
		h.Set("Content-Type", p.kind)
	}
	w.WriteHeader(p.status)
	if p.body != "" {
		_, _ = w.Write([]byte(p.body))
	}
}

// goOnline is the button of the sign-in page: from now on this guest's probes are answered as if online.
func (s *Server) goOnline(w http.ResponseWriter, r *http.Request, v *visitor) {
	form, fresh, ok := s.readForm(w, r, v)
	if !ok {
		return
	}
	if fresh {
		s.visitors.setOnline(v)
	}
	s.signInPage(w, r, v, s.cfg.Catalog.Choose(form.Get("lang"), r.Header.Get("Accept-Language")))
}
