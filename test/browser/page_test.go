package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/node/api/guest/page"
)

// web is where the page's sources are.
const web = "../../cmd/longear/web"

// pageChecks are those of page.mjs.
var pageChecks = []string{
	"every screen", "only words of the catalogue", "one language is fetched", "takes over", "nothing moves while one reads", "news are told",
	"answers", "replies lead", "writing", "what fails is said", "a part that fails comes later", "what is first needed and fails comes later",
	"no key is shown while its words are missing", "who types keeps the field", "what the old page sends is not sent again", "a hub with another page", "a hub that has another page before this one is drawn", "muting", "petitions and polls",
	"photos and files", "your own screen", "forgetting", "keyboard",
	"targets", "large text", "forced colours", "reduced motion", "hostile texts", "without storage", "a thousand messages",
}

// buildScreens bundles the page's screens over an inside that is made up, and says where.
func buildScreens(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(web, "node_modules", ".package-lock.json")); err != nil {
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = web
		if out, err := npm.CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: the page was not looked at: npm could not fetch its packages: %v\n%s", err, out[:min(len(out), 2<<10)])
		}
	}
	build := exec.Command("node", "build.mjs", "fake")
	build.Dir = web
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the page: %v\n%s", err, out)
	}
	return filepath.Join(web, "built", "fake")
}

// boardItems are messages for the page without script.
func boardItems() (items []page.Item) {
	for i := range 20 {
		items = append(items, page.Item{ID: fmt.Sprintf("board%011s", strings.Repeat("abcdefghijklmnopqrstuvwxyz"[i:i+1], 11)), Channel: "#all", Author: "abcdefgh", Age: time.Duration(i) * time.Minute, Text: strings.Repeat(fmt.Sprintf("message %d ", i), 12)})
	}
	return items
}

// TestPage: the screens of the page, in a browser, over an inside that is made up, with the policy that a hub gives its page.
func TestPage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	fetch(t)
	files := http.FileServer(http.Dir(buildScreens(t)))
	catalog, err := page.ReadCatalog(os.DirFS(filepath.Join(web, "lang")), "en")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /page/", http.StripPrefix("/page/", files))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' "+page.StyleHash()+"; img-src blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		words := catalog.Choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
		b := page.Board{Words: words, Catalog: catalog, Hub: "north gate", Items: boardItems(), Form: &page.Form{Token: "t", Channel: "all"}}
		_, _ = w.Write([]byte(strings.Replace(string(b.Bytes()), "</html>", `<script type="module" src="/page/fakepage.js"></script></html>`, 1)))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	lang, err := filepath.Abs(filepath.Join(web, "lang"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"page.mjs", chromium, server.URL, lang}
	if *shots != "" {
		args = append(args, *shots)
	}
	watch(t, args, pageChecks)
}
