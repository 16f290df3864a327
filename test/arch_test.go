// Package test holds what is true of the repository as a whole: which package may import which, where things are, how
// long they may be and how large the program is. Each folder beneath it is one rig of whole nodes.
package test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayImport is one line of the import table: what a package may import that is not the standard library. The most specific
// line that matches a folder rules it.
type mayImport struct {
	dir    string
	ours   []string
	others []string // prefixes of import paths
	why    string
}

// importTable is ARCHITECTURE.md's, with a reason for each line. A folder without a line may not hold code.
var importTable = []mayImport{
	{
		"protocol", nil,
		[]string{"golang.org/x/crypto/", "golang.org/x/text/unicode/norm", "github.com/oasisprotocol/curve25519-voi/"},
		"whoever reads it needs nothing else, and another program can use it alone; voi verifies in batches",
	},
	{
		"protocol/pb", nil,
		[]string{"google.golang.org/protobuf/"},
		"generated, for readers in other languages and the outer frames; messages are decoded by hand, strictly",
	},
	{
		"protocol/reconcile", nil, nil,
		"a pure state machine: bytes in, bytes out; it can be tested and reused without the rest",
	},
	{
		"protocol/frame",
		[]string{"protocol", "protocol/reconcile"},
		nil,
		"the sync protocol's bytes, for a stream between nodes and for a page's requests alike",
	},
	{
		"store",
		[]string{"protocol", "protocol/reconcile"},
		[]string{"github.com/dgraph-io/", "golang.org/x/sys/", "golang.org/x/sync/errgroup"},
		"Badger stays here; the store keeps the trie that reconcile defines; no network beneath a transaction",
	},
	{
		"node",
		[]string{"protocol", "protocol/frame", "protocol/pb", "protocol/reconcile", "store", "node/discovery"},
		[]string{"github.com/libp2p/", "github.com/multiformats/", "github.com/quic-go/quic-go", "golang.org/x/sync/errgroup", "golang.org/x/time/rate", "google.golang.org/protobuf/proto"},
		"libp2p stays here; one peer is made of what it says, what it keeps and how it finds others",
	},
	{
		"node/discovery",
		[]string{"node/discovery/wifidirect"},
		[]string{"github.com/libp2p/go-libp2p/core/", "github.com/multiformats/", "golang.org/x/net/", "golang.org/x/sync/errgroup", "golang.org/x/sys/", "golang.org/x/time/rate"},
		"finding peers knows nothing of messages: a rung can be written and tested without a node",
	},
	{
		"node/discovery/wifidirect", nil, nil,
		"who owns a group and who joins is a policy over an interface: it knows no libp2p, no bus and no kernel",
	},
	{
		"node/discovery/wifidirect/supplicant",
		[]string{"node/discovery/wifidirect"},
		[]string{"github.com/godbus/dbus/v5", "golang.org/x/sys/"},
		"the radio as wpa_supplicant gives it: D-Bus, its control socket and the kernel's addresses stay here",
	},
	{
		"node/api",
		[]string{"node", "protocol", "store"},
		[]string{"golang.org/x/sync/errgroup"},
		"it states the small interfaces it needs; node and store are imported for the plain structs in them",
	},
	{
		"node/api/guest",
		[]string{"node", "node/api/guest/page", "protocol", "protocol/frame", "protocol/reconcile", "store"},
		[]string{"golang.org/x/sync/errgroup"},
		"another listener with other rights: what the operator may ask (node/api) is out of its reach; a guest's exchange is a session of reconcile",
	},
	{
		"node/api/guest/page", nil, nil,
		"what guests see without script: facts in, bytes of HTML out",
	},
	{
		"node/hotspot", nil,
		[]string{
			"github.com/insomniacslk/dhcp/", "github.com/jsimonetti/rtnetlink/v2", "github.com/mdlayher/netlink", "golang.org/x/net/dns/dnsmessage",
			"golang.org/x/sync/errgroup", "golang.org/x/sys/unix", "golang.org/x/time/rate",
		},
		"an interface that serves phones knows no message and no page: it is handed who answers; DHCP and netlink stay here",
	},
	{
		"cmd/longear",
		[]string{"node", "node/api", "node/api/guest", "node/api/guest/page", "node/discovery", "node/discovery/wifidirect", "node/discovery/wifidirect/supplicant", "node/hotspot", "protocol", "store"},
		[]string{"github.com/BurntSushi/toml", "github.com/spf13/", "golang.org/x/sync/errgroup", "golang.org/x/sys/", "filippo.io/age", "rsc.io/qr"},
		"it wires what is above and talks to people; no libp2p, no Badger",
	},
	{
		"cmd/crowdsim",
		[]string{"test/crowd", "test/crowd/report", "test/crowd/story"},
		[]string{"github.com/spf13/pflag", "golang.org/x/term"},
		"the rig of the crowd for people who do not read Go: flags, a progress line, files",
	},
	{
		"examples/crowd",
		[]string{"test/crowd", "test/crowd/report", "test/crowd/story"},
		nil,
		"a developer's own idea needs the story's language, the world and its report, and nothing else",
	},
	{
		"examples",
		[]string{"node", "node/discovery", "protocol", "store"},
		[]string{"golang.org/x/sync/errgroup"},
		"people copy them: what a program outside can import, and nothing else",
	},
	{
		"test",
		[]string{"node", "node/api", "node/discovery", "node/discovery/wifidirect", "protocol", "protocol/pb", "protocol/reconcile", "store", "test"},
		[]string{""},
		"a rig may use anything but the program, which it runs as people do",
	},
}

func ruleFor(dir string) (mayImport, bool) {
	for d := dir; d != "."; d = path.Dir(d) {
		for _, r := range importTable {
			if r.dir == d {
				return r, true
			}
		}
	}
	return mayImport{}, false
}

const module = "longear"

// badImports compares the imports of everything but tests with the table. Tests may import anything but the program.
func badImports(r *tree) (bad []string) {
	for _, s := range r.sources {
		rule, ok := ruleFor(s.dir())
		if !ok {
			bad = append(bad, s.path+": its folder is not in the import table (test/arch_test.go)")
			continue
		}
		for _, i := range s.imports {
			if why := refuse(rule, s, i); why != "" {
				bad = append(bad, fmt.Sprintf("%s imports %s: %s", s.path, i, why))
			}
		}
	}
	return bad
}

// refuse says why a file may not import something, or nothing.
func refuse(rule mayImport, s source, imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	std := !isOurs && !strings.Contains(first, ".")
	switch {
	case strings.HasPrefix(ours, "cmd/"):
		return "nothing imports the program"
	case strings.HasPrefix(imported, "github.com/stretchr/"):
		return "tests say what was wrong in plain Go"
	case s.inTests():
		return ""
	case imported == "testing" || strings.HasPrefix(imported, "testing/"):
		return "production code does not import testing"
	case std && slices.Contains(forbiddenStd[rule.dir], imported):
		return "it " + pureWhy
	case std, isOurs && slices.Contains(rule.ours, ours):
		return ""
	case !isOurs && slices.ContainsFunc(rule.others, func(p string) bool { return strings.HasPrefix(imported, p) }):
		return ""
	}
	return rule.dir + " may not: " + rule.why
}

// forbiddenStd keeps the protocol pure. It may import log/slog: a LogValue says what a log may show of a key.
var forbiddenStd = map[string][]string{
	"protocol":           {"os", "net", "net/http", "net/netip", "log", "sync", "math/rand", "math/rand/v2", "syscall"},
	"protocol/reconcile": {"os", "net", "net/http", "net/netip", "log", "log/slog", "sync", "context", "time", "crypto/rand", "math/rand", "math/rand/v2", "syscall"},
}

const pureWhy = "knows no clock, network, disk, log or goroutine"

// atRoot is everything that the top level holds.
var atRoot = []string{
	"node", "protocol", "store", "cmd", "examples", "test", ".ci",
	"go.mod", "go.sum", "tools.mod", "tools.sum", "Makefile",
	"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", ".gitignore",
}

func strayAtRoot(r *tree) (bad []string) {
	seen := map[string]bool{}
	for name := range r.texts {
		first, _, _ := strings.Cut(name, "/")
		if !slices.Contains(atRoot, first) && !seen[first] {
			bad = append(bad, first+" does not belong at the top level")
		}
		seen[first] = true
	}
	for _, name := range atRoot {
		if !seen[name] {
			bad = append(bad, name+" is missing from the top level")
		}
	}
	return bad
}

// dullNames say nothing about what is in a file.
var dullNames = strings.Fields("util utils helper helpers common misc types consts constants errors interfaces manager")

// telling are the files whose name is on that list and says what is in them all the same.
var telling = map[string]string{
	"node/discovery/interfaces.go":      "network interfaces",
	"node/discovery/interfaces_test.go": "network interfaces",
}

func badNames(r *tree) (bad []string) {
	for name := range r.texts {
		base := path.Base(name)
		stem, _, _ := strings.Cut(base, ".")
		stem = strings.TrimSuffix(stem, "_test")
		if strings.HasSuffix(base, ".go") && slices.Contains(dullNames, stem) && telling[name] == "" {
			bad = append(bad, name+": a file is named by the behaviour that a newcomer would search for")
		}
	}
	for folder := range r.folders {
		if slices.Contains(dullNames, path.Base(folder)) {
			bad = append(bad, folder+": a folder is named by what it is for")
		}
	}
	return bad
}

// inTicks is a file name in the "where is...?" table.
var inTicks = regexp.MustCompile("`([^` ]+)`")

// badPlaces checks the "where is...?" table: every path in it exists.
func badPlaces(r *tree) (bad []string) {
	_, section, ok := strings.Cut(r.texts["ARCHITECTURE.md"], "\n## Where is")
	if !ok {
		return []string{`ARCHITECTURE.md has no section "Where is...?"`}
	}
	section, _, _ = strings.Cut(section, "\n## ")
	n := 0
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		for _, m := range inTicks.FindAllStringSubmatch(line, -1) {
			n++
			place := strings.TrimSuffix(m[1], "/")
			if _, ok := r.texts[place]; !ok && !r.folders[place] {
				bad = append(bad, "ARCHITECTURE.md names "+place+", which does not exist")
			}
		}
	}
	if n < 20 {
		bad = append(bad, fmt.Sprintf(`ARCHITECTURE.md: "Where is...?" names only %d files`, n))
	}
	return bad
}

// badTable compares the table for people with the one above: a row that lists folders, or says nothing, says what the rule says.
func badTable(r *tree) (bad []string) {
	_, section, _ := strings.Cut(r.texts["ARCHITECTURE.md"], "\n## What may import what")
	section, _, _ = strings.Cut(section, "\n## ")
	told := map[string]string{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			told[strings.Trim(cells[1], " `/…")] = strings.TrimSpace(cells[3])
		}
	}
	for _, rule := range importTable {
		says, ok := told[rule.dir]
		want := "nothing"
		if rule.ours != nil {
			want = "`" + strings.Join(rule.ours, "`, `") + "`"
		}
		switch {
		case !ok:
			bad = append(bad, "ARCHITECTURE.md has no row for "+rule.dir)
		case says != want && !strings.HasPrefix(says, "all but "): // told in words
			bad = append(bad, fmt.Sprintf("ARCHITECTURE.md says that %s may import %s; test/arch_test.go says %s", rule.dir, says, want))
		}
	}
	return bad
}

func TestArchitecture(t *testing.T) {
	r := readTree(t)
	for name, check := range map[string]func(*tree) []string{
		"imports":       badImports,
		"top level":     strayAtRoot,
		"names":         badNames,
		"where is":      badPlaces,
		"table":         badTable,
		"syntax":        badSyntax,
		"documentation": undocumented,
		"budgets":       overBudget,
		"scripts":       badScripts,
		"words":         badWords,
	} {
		t.Run(name, func(t *testing.T) {
			bad := check(r)
			slices.Sort(bad)
			for _, b := range bad {
				t.Error(b)
			}
		})
	}
}
