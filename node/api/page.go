package api

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// pagePolicy is all that the operator's page may do: run the scripts and use the style sheet of this origin, and talk to it. Nothing
// inline, nothing from anywhere else, no text that becomes markup.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pageFolder is where the files of the page are; the page itself is at /.
const pageFolder = "/page/"

// isPage reports whether a request is for the page and not for the API.
func isPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		(r.URL.Path == "/" || r.URL.Path == "/favicon.ico" || strings.HasPrefix(r.URL.Path, pageFolder))
}

// pageTypes are the files that the page may have.
var pageTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
}

// maxPageFile bounds one file of the page.
const maxPageFile = 1 << 20

// page serves the built page or, where it was not built, a plain one.
type page struct {
	built fs.FS             // files compressed with gzip, NAME.gz; nil: it was not built
	plain map[string]string // by name; what stands in
}

// newPage takes the page that was built: index.html.gz and what it loads. Without it the page is the plain one.
func newPage(built fs.FS) *page {
	if built != nil {
		if f, err := built.Open("index.html.gz"); err == nil {
			f.Close()
			return &page{built: built}
		}
	}
	return &page{plain: map[string]string{"index.html": plainPage, "plain.js": plainScript, "plain.css": plainStyle}}
}

// ServeHTTP answers with a file.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.URL.Path == "/favicon.ico" {
		w.WriteHeader(http.StatusNoContent) // browsers ask for it unasked
		return
	}
	name := strings.TrimPrefix(r.URL.Path, pageFolder)
	if r.URL.Path == "/" {
		name = "index.html"
	}
	kind := pageTypes[path.Ext(name)]
	b, err := p.read(name)
	if err != nil || kind == "" {
		refuse(w, http.StatusNotFound, Fail(NotFound, "the page has no "+name, "longear page"))
		return
	}
	h.Set("Content-Type", kind)
	_, _ = w.Write(b)
}

// read is a file of the page as it was before it was compressed: the way to the browser is short.
func (p *page) read(name string) ([]byte, error) {
	if p.built == nil {
		text, ok := p.plain[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
	f, err := p.built.Open(name + ".gz") // which refuses names that lead out of the folder
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxPageFile))
}

// The plain page stands in where the program was built without the page's scripts: it says so, and shows the status as text.
const (
	plainPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
		`<title>longear</title><link rel="stylesheet" href="/page/plain.css">` +
		`<h1>longear</h1><p>This program was built without the operator's page. To have it: <code>make build</code>, with node and npm at hand, and start the node again. ` +
		`Everything on it is in the command line too: <code>longear --help</code>.</p>` +
		`<h2>Status</h2><pre id="status" role="status">This needs script; in a terminal: longear status</pre>` +
		`<script type="module" src="/page/plain.js"></script></html>`

	plainScript = `const key = "longear-token";
const given = location.hash.slice(1);
if (given) {
  sessionStorage.setItem(key, given);
  history.replaceState(null, "", "/");
}
const place = document.getElementById("status");
try {
  const answer = await fetch("/v1/status", { headers: { Authorization: "Bearer " + sessionStorage.getItem(key) } });
  const status = await answer.json();
  delete status.per_minute;
  place.textContent = answer.ok ? JSON.stringify(status, null, 2) : status.error + "\n" + status.fix;
} catch (e) {
  place.textContent = "the node does not answer: is it running?";
}
`

	plainStyle = `:root{color-scheme:light dark}body{margin:0 auto;padding:.5rem;max-inline-size:42rem;font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}` +
		`pre{white-space:pre-wrap}`
)
