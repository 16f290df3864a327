package guest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// scriptPolicy is what the page with script may do: load its own files and ask this hub. Its worker has the same policy.
const scriptPolicy = "script-src 'self'; connect-src 'self'; worker-src 'self'"

// pageFiles are the files of the page with script, by name, compressed with gzip as they are served. Their names change with what
// is in them.
type pageFiles struct {
	main  string // the script that the board loads; "": there is none
	files map[string][]byte
	// packers are *gzip.Writer to compress boards with: one is 800 kB, and a crowd opens many boards at once.
	packers sync.Pool
}

// pageTypes are the types of files that a page can have.
var pageTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
}

// maxPageFile bounds one file, uncompressed.
const maxPageFile = 1 << 20

// readPage reads what the build left. A folder without page.json is a program that was built without the page.
func readPage(from fs.FS) (*pageFiles, error) {
	p := &pageFiles{packers: sync.Pool{New: func() any { return gzip.NewWriter(nil) }}}
	if from == nil {
		return p, nil
	}
	text, err := fs.ReadFile(from, "page.json")
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	var told struct{ Main string }
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	if err != nil {
		return p, fmt.Errorf("guest: the built page: %w", err)
	}
	names, err := fs.Glob(from, "*.gz")
	if err != nil {
		return p, fmt.Errorf("guest: the built page: %w", err)
	}
	p.files = make(map[string][]byte)
	for _, name := range names {
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return p, fmt.Errorf("guest: the built page: %w", err)
		}
		if bare := strings.TrimSuffix(name, ".gz"); pageTypes[path.Ext(bare)] != "" {
			p.files[bare] = b
		}
	}
	if p.files[told.Main] == nil {
		return p, fmt.Errorf("guest: the built page has no %q: build it again with make web", told.Main)
	}
	p.main = told.Main
	return p, nil
}

// script is the address of the page's script, or "".
func (p *pageFiles) script() string {
	if p.main == "" {
		return ""
	}
	return "/page/" + p.main
}

// pageFile gives out a file of the page. It never changes: browsers may keep it for good.
func (s *Server) pageFile(w http.ResponseWriter, r *http.Request, _ *visitor) {
	name := r.PathValue("file")
	b := s.files.files[name]
	if b == nil {
		refuse(w, http.StatusNotFound, "there is no such file", "open /")
		return
	}
	h := w.Header()
	h.Set("Content-Type", pageTypes[path.Ext(name)])
	h.Set("Content-Security-Policy", "default-src 'none'; "+scriptPolicy+"; frame-ancestors 'none'")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if !takesGzip(r) {
		plain, err := unpack(b)
		if err != nil {
			h.Set("Cache-Control", "no-store")
			refuse(w, http.StatusInternalServerError, "the file is damaged", "")
			return
		}
		h.Set("Content-Length", strconv.Itoa(len(plain)))
		_, _ = w.Write(plain)
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

// takesGzip reports whether a browser can read gzip: all can.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(params), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}

// pack compresses a page that is made for one request.
func (p *pageFiles) pack(page []byte) []byte {
	z := p.packers.Get().(*gzip.Writer)
	defer p.packers.Put(z)
	var b bytes.Buffer
	z.Reset(&b)
	_, _ = z.Write(page) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func unpack(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxPageFile))
}
