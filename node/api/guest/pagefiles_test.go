package guest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"longear/node/api/guest"
)

// zip is bytes as the build leaves them.
func zip(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	must(t, err)
	must(t, z.Close())
	return &fstest.MapFile{Data: b.Bytes()}
}

// ask sends a GET that says which codings it takes.
func ask(t *testing.T, h *hub, path, codings string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.addr+path, nil)
	must(t, err)
	req.Header.Set("Accept-Encoding", codings)
	res, err := http.DefaultTransport.RoundTrip(req)
	must(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(t, err)
	return res, string(b)
}

// TestPageFiles: the built files, to be kept for good, compressed for who takes that; the board loads the script, and may do what it needs
// and no more.
func TestPageFiles(t *testing.T) {
	h := newHub(t, func(c *guest.Config) {
		c.Page = fstest.MapFS{
			"page.json": {Data: []byte(`{"main":"main-ABC.js","inside":"worker-DEF.js"}`)}, "README.txt": {Data: []byte("x")},
			"main-ABC.js.gz": zip(t, "import 'x'"), "worker-DEF.js.gz": zip(t, "work()"), "style-1.css.gz": zip(t, "a{}"), "odd.html.gz": zip(t, "<script>"),
		}
	})
	for path, want := range map[string]string{"/page/main-ABC.js": "import 'x'", "/page/style-1.css": "a{}", "/page/worker-DEF.js": "work()"} {
		for _, codings := range []string{"gzip, deflate, br", "", "identity", "gzip;q=0", "br, GZIP;q=0.5"} {
			res, body := ask(t, h, path, codings)
			packed := strings.Contains(strings.ToLower(codings), "gzip") && !strings.Contains(codings, "q=0") || strings.Contains(codings, "q=0.5")
			if got := res.Header.Get("Content-Encoding") == "gzip"; got != packed {
				t.Errorf("%s for %q: compressed is %v", path, codings, got)
			}
			if packed {
				z, err := gzip.NewReader(strings.NewReader(body))
				must(t, err)
				b, err := io.ReadAll(z)
				must(t, err)
				body = string(b)
			}
			if res.StatusCode != 200 || body != want {
				t.Errorf("%s for %q: %d %q", path, codings, res.StatusCode, body)
			}
			for name, want := range map[string]string{
				"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding",
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q", path, name, got)
				}
			}
			if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/javascript") && !strings.HasPrefix(got, "text/css") {
				t.Errorf("%s is %q", path, got)
			}
		}
	}
	for _, path := range []string{"/page/page.json", "/page/README.txt", "/page/odd.html", "/page/main-ABC.js.gz", "/page/..%2Fpage.json", "/page/", "/page/none.js"} {
		if res, _ := ask(t, h, path, "gzip"); res.StatusCode != 404 || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
	// By this a page that was open before an update finds out that there is another one here.
	for path, want := range map[string]int{"/page/main-ABC.js": 200, "/page/main-OLD.js": 404} {
		res, err := http.Head("http://" + h.addr + path)
		must(t, err)
		if err := res.Body.Close(); err != nil || res.StatusCode != want {
			t.Errorf("HEAD %s: %d %v", path, res.StatusCode, err)
		}
	}
	res, board := ask(t, h, "/", "")
	if !strings.Contains(board, `<script type="module" src="/page/main-ABC.js"></script>`) {
		t.Error("the board does not load the script")
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, part := range []string{
		"default-src 'none'", "script-src 'self'", "connect-src 'self'", "worker-src 'self'", "img-src blob: data:", "form-action 'self'",
		"frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-",
	} {
		if !strings.Contains(policy, part) {
			t.Errorf("the board's policy lacks %s: %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Error(policy)
	}
	if _, window := ask(t, h, "/signin", ""); strings.Contains(window, "<script") {
		t.Error("the sign-in window has a script")
	}
}

// TestWithoutPage: a program that was built without the page serves the board alone, under the policy that it has always had.
func TestWithoutPage(t *testing.T) {
	h := newHub(t, func(c *guest.Config) { c.Page = fstest.MapFS{"README.txt": {Data: []byte("x")}} })
	res, board := ask(t, h, "/", "")
	if strings.Contains(board, "<script") || strings.Contains(res.Header.Get("Content-Security-Policy"), "script-src") {
		t.Error("there is a script in a board without a page")
	}
	for _, c := range []fstest.MapFS{
		{"page.json": {Data: []byte(`{"main":"gone.js"}`)}},
		{"page.json": {Data: []byte(`{`)}},
	} {
		if _, err := guest.New(guest.Config{Door: h.node, Reader: h.node, Around: h.node, Store: h.store, Catalog: catalog(t), Port: 1, Page: c}); err == nil {
			t.Error("a half-built page is served")
		}
	}
}

// TestBoardPacked: a board is compressed for who takes that; one with a form is not, since its length would tell of its token.
func TestBoardPacked(t *testing.T) {
	for _, forms := range []bool{false, true} {
		h := newHub(t, func(c *guest.Config) { c.Forms = forms })
		for range 3 { // what compresses is used again
			res, packed := ask(t, h, "/", "gzip")
			if got := res.Header.Get("Content-Encoding") == "gzip"; got == forms {
				t.Fatalf("forms %v: compressed %v", forms, got)
			}
			if got := res.Header.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("forms %v: Vary is %q", forms, got)
			}
			if forms {
				continue
			}
			z, err := gzip.NewReader(strings.NewReader(packed))
			must(t, err)
			html, err := io.ReadAll(z)
			must(t, err)
			if _, plain := ask(t, h, "/", "identity"); string(html) != plain {
				t.Error("another page came out than went in")
			}
		}
	}
}
