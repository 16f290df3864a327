package guest_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestGuide: GUEST.md has a section with a command for each route that the package lists, and its example of a state is one.
func TestGuide(t *testing.T) {
	b, err := os.ReadFile("../GUEST.md")
	must(t, err)
	guide := string(b)
	doc, err := os.ReadFile("doc.go")
	must(t, err)
	routes := regexp.MustCompile(`(?m)(GET|POST) +(/[^ ,\n]*)`).FindAllStringSubmatch(string(doc), -1)
	if len(routes) != 12 {
		t.Errorf("the package lists %d routes", len(routes))
	}
	for _, r := range routes {
		path := r[2]
		if strings.HasPrefix(path, "/guest/") {
			if !strings.Contains(guide, "\n## "+r[1]+" "+path+"\n") {
				t.Errorf("no section for %s %s", r[1], path)
			}
			path = strings.Replace(path, "{session}", "AAECAwQFBgcICQoLDA0ODw", 1)
		}
		path = strings.Replace(path, "{file}", "page.json", 1)
		if !regexp.MustCompile(`(?m)^    curl .*\$H` + regexp.QuoteMeta(path) + `(["? ]|$)`).MatchString(guide) {
			t.Errorf("no command for %s", path)
		}
	}
	example := guide[strings.Index(guide, "```json\n")+8:]
	example, _, _ = strings.Cut(example, "```")
	h := newHub(t, nil)
	var want, got map[string]any
	must(t, json.Unmarshal([]byte(example), &want))
	newPhone(t, 2).get(h, "/guest/state").json(t, &got)
	for key, value := range want {
		inner, nested := value.(map[string]any)
		has, ok := got[key]
		if !ok {
			t.Errorf("a state has no %s", key)
		}
		for k, v := range inner {
			if nested && has.(map[string]any)[k] != v && key == "limits" {
				t.Errorf("%s.%s is %v, the guide says %v", key, k, has.(map[string]any)[k], v)
			}
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("the guide does not know %s", key)
		}
	}
}
