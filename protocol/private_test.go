package protocol_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"longear/protocol"
)

// TestOnlyDecryptionMakesPrivate reads the package's source: Private has no exported field, is written out only in the
// functions that decrypt, and comes out of no other exported function. Text that was never sealed can therefore not be
// shown as private, whatever a caller does.
func TestOnlyDecryptionMakesPrivate(t *testing.T) {
	private := reflect.TypeFor[protocol.Private]()
	for f := range private.Fields() {
		if f.IsExported() {
			t.Errorf("Private.%s can be set from outside", f.Name)
		}
	}
	makers := map[string]bool{"Open": true, "openInner": true}
	returns := map[string]bool{"Open": true, "openInner": true, "OpenDirect": true}
	literals := 0
	for _, name := range must(filepath.Glob("*.go")) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file := must(parser.ParseFile(token.NewFileSet(), name, nil, 0))
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if c, ok := n.(*ast.CompositeLit); ok && isPrivate(c.Type) {
					literals++
					if !makers[f.Name.Name] {
						t.Errorf("%s: %s makes a Private", name, f.Name.Name)
					}
				}
				if c, ok := n.(*ast.CallExpr); ok && len(c.Args) == 1 && isPrivate(c.Args[0]) {
					t.Errorf("%s: %s makes an empty Private", name, f.Name.Name)
				}
				return true
			})
			if f.Type.Results == nil {
				continue
			}
			for _, r := range f.Type.Results.List {
				if star, ok := r.Type.(*ast.StarExpr); ok && isPrivate(star.X) && !returns[f.Name.Name] {
					t.Errorf("%s: %s returns a Private", name, f.Name.Name)
				}
			}
		}
	}
	if literals != 2 {
		t.Errorf("%d places make a Private, want 2: has the source moved from %v?", literals, must(os.Getwd()))
	}
	for m := range reflect.TypeFor[*protocol.Private]().Methods() {
		if strings.HasPrefix(m.Name, "Unmarshal") || strings.HasPrefix(m.Name, "Set") || m.Type.NumIn() > 1 {
			t.Errorf("Private.%s takes something", m.Name)
		}
	}
}

func isPrivate(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "Private"
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
