package test

import (
	"fmt"
	"go/token"
	"strings"
	"testing"
)

// TestRulesBite breaks each rule once, so that none of them is a check that cannot fail.
func TestRulesBite(t *testing.T) {
	long := "// Package p is p.\npackage p\n\nfunc f() {\n" + strings.Repeat("\t_ = 1\n", maxFuncLines) + "}\n"
	for _, c := range []struct {
		name, path, text string
		check            func(*tree) []string
		want             string // part of the complaint; "" for none
	}{
		{"ours, not allowed", "protocol/x.go", `package protocol; import _ "longear/store"`, badImports, "imports longear/store"},
		{"ours, allowed", "store/x.go", `package store; import _ "longear/protocol"`, badImports, ""},
		{"ours, no prefix match", "store/x.go", `package store; import _ "longear/protocol/pb"`, badImports, "imports longear/protocol/pb"},
		{"Badger outside the store", "node/x.go", `package node; import _ "github.com/dgraph-io/badger/v4"`, badImports, "badger"},
		{"libp2p outside the node", "cmd/longear/x.go", `package main; import _ "github.com/libp2p/go-libp2p"`, badImports, "go-libp2p"},
		{"a child inherits no more than its line", "node/discovery/x.go", `package discovery; import _ "longear/node"`, badImports, "imports longear/node"},
		{"disk in the protocol", "protocol/x.go", `package protocol; import _ "os"`, badImports, pureWhy},
		{"a new folder", "extra/x.go", `package extra`, badImports, "not in the import table"},
		{"testing in production", "store/x.go", `package store; import _ "testing"`, badImports, "production code"},
		{"tests are free", "store/x_test.go", `package store_test; import _ "github.com/libp2p/go-libp2p"`, badImports, ""},
		{"but not for the program", "store/x_test.go", `package store_test; import _ "longear/cmd/longear"`, badImports, "nothing imports the program"},
		{"nor for assertion libraries", "store/x_test.go", `package store_test; import _ "github.com/stretchr/testify"`, badImports, "plain Go"},

		{"a stray file", "notes.txt", "x", strayAtRoot, "notes.txt does not belong"},
		{"a missing file", "go.mod", "module x", strayAtRoot, "LICENSE is missing"},
		{"a dull name", "node/utils.go", "package node", badNames, "node/utils.go"},
		{"a dull test name", "node/helpers_test.go", "package node", badNames, "node/helpers_test.go"},
		{"a place that is not there", "ARCHITECTURE.md", "\n## Where is...?\n| how | `node/nowhere.go` |\n", badPlaces, "node/nowhere.go"},
		{"no table", "ARCHITECTURE.md", "nothing", badPlaces, "no section"},
		{"no row", "ARCHITECTURE.md", "nothing", badTable, "no row for store"},
		{"a row that says too little", "ARCHITECTURE.md", "\n## What may import what\n| `store/` | x | `protocol` | y |\n", badTable, "says that store may import `protocol`; test/arch_test.go says `protocol`, `protocol/reconcile`"},

		{"a goroutine without an owner", "node/x.go", "package node\nfunc f() { go f() }", badSyntax, "bare go"},
		{"sleep", "node/x.go", "package node\nimport \"time\"\nfunc f() { time.Sleep(1) }", badSyntax, "time.Sleep"},
		{"background", "node/x.go", "package node\nimport \"context\"\nvar _ = context.Background()", badSyntax, "context.Background"},
		{"background in main", "cmd/longear/main.go", "package main\nimport \"context\"\nvar _ = context.Background()", badSyntax, ""},
		{"background in a main package's other file", "cmd/longear/x.go", "package main\nimport \"context\"\nvar _ = context.Background()", badSyntax, "context.Background"},
		{"clock in the protocol", "protocol/x.go", "package protocol\nimport \"time\"\nvar _ = time.Now()", badSyntax, "no clock"},
		{"clock in the node", "node/x.go", "package node\nimport \"time\"\nvar _ = time.Now()", badSyntax, ""},
		{"global log", "node/x.go", "package node\nimport \"log/slog\"\nfunc f() { slog.Info(``) }", badSyntax, "comes from the config"},
		{"tests may wait as they like", "node/x_test.go", "package node\nfunc f() { go f() }", badSyntax, ""},

		{"no package comment", "node/x.go", "package node", undocumented, "the package has no comment"},
		{"no comment on a function", "node/x.go", "// Package node.\npackage node\n\nfunc F() {}", undocumented, "F has no comment"},
		{"no comment on a method", "node/x.go", "// Package node.\npackage node\n\n// T.\ntype T int\n\nfunc (*T) F() {}", undocumented, "F has no comment"},
		{"no comment on a constant", "node/x.go", "// Package node.\npackage node\n\nconst C = 1", undocumented, "C has no comment"},
		{"a method nobody can name", "node/x.go", "// Package node.\npackage node\n\ntype t int\n\nfunc (t) F() {}", undocumented, ""},

		{"a long function", "node/x.go", long, overBudget, "f has 62 lines"},
		{"a long test", "node/x_test.go", long, overBudget, ""},
		{"a long file", "node/x.go", "package node" + strings.Repeat("\n", maxFileLines+1), overBudget, "has 401 lines"},
		{"many parameters", "node/x.go", "package node\nimport \"context\"\nfunc f(_ context.Context, a, b, c int, d, e string) {}", overBudget, "5 parameters"},
		{"enough parameters", "node/x.go", "package node\nimport \"context\"\nfunc f(_ context.Context, a, b, c, d int) {}", overBudget, ""},
		{"a wide interface", "node/x.go", "package node\ntype i interface{ A(); B(); C(); D() }", overBudget, "4 methods"},

		{"any in a script", "cmd/longear/web/x.ts", "// X.\nlet x: any = 1;\n", badScripts, "any is no type"},
		{"any as an argument", "cmd/longear/web/x.ts", "// X.\nlet x = new Map<string, any>();\n", badScripts, "any is no type"},
		{"any in a comment", "cmd/longear/web/x.ts", "// X, if any.\n/** Takes: any. */\nlet x = 1; // or: any\n", badScripts, ""},
		{"a class in a script", "cmd/longear/web/x.ts", "// X.\nclass X {}\n", badScripts, "a class"},
		{"a script without a purpose", "cmd/longear/web/x.ts", "let x = 1;\n", badScripts, "what it is for"},
		{"no comment in a script", "cmd/longear/web/x.ts", "// X.\n\nexport function f() {}\n", badScripts, "f has no comment"},
		{"a comment in a script", "cmd/longear/web/x.ts", "// X.\n\n/** F. */\nexport function f() {}\n", badScripts, ""},
		{"a long script", "cmd/longear/web/x.ts", "// X." + strings.Repeat("\n", maxFileLines+1), badScripts, "has 401 lines"},
		{"a long function in a script", "cmd/longear/web/x.ts", "// X.\nfunction f() {\n" + strings.Repeat("  g();\n", maxFuncLines) + "}\n", badScripts, "f has 62 lines"},

		{"an unwanted word, in any case", "README.md", "ask " + strings.ToUpper(unwanted[0]), badWords, "README.md:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &tree{fset: token.NewFileSet(), texts: map[string]string{}, folders: map[string]bool{}}
			r.excused = map[string]string{"store/excused.go": "it is still long"}
			r.add(t, "store/excused.go", "// Package store.\npackage store"+strings.Repeat("\n", maxFileLines+1))
			r.add(t, c.path, c.text)
			got := c.check(r)
			if c.want == "" && len(got) > 0 {
				t.Errorf("complaints %q, want none", got)
			}
			if !strings.Contains(fmt.Sprint(got), c.want) {
				t.Errorf("complaints %q, want one with %q", got, c.want)
			}
		})
	}
}

// TestExcusesEnd: an exception from a budget that nobody needs any more is a complaint.
func TestExcusesEnd(t *testing.T) {
	r := &tree{fset: token.NewFileSet(), texts: map[string]string{}, excused: map[string]string{"node/x.go": "it was long"}}
	r.add(t, "node/x.go", "package node")
	if got := overBudget(r); len(got) != 1 {
		t.Errorf("complaints %q, want one", got)
	}
}
