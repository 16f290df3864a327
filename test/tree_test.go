package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// tree is the repository as the checks of this package see it. Paths are slash-separated and relative to its root.
type tree struct {
	fset    *token.FileSet
	sources []source
	texts   map[string]string // every file that is not binary
	folders map[string]bool
	excused map[string]string // from budgets, see overBudgetBecause
}

// source is one Go file.
type source struct {
	path    string
	file    *ast.File
	imports []string
	lines   int
}

func (s source) dir() string     { return path.Dir(s.path) }
func (s source) isTest() bool    { return strings.HasSuffix(s.path, "_test.go") }
func (s source) generated() bool { return ast.IsGenerated(s.file) }

// inTests reports whether the file exists for tests only: it is one, or it is beneath test/.
func (s source) inTests() bool { return s.isTest() || strings.HasPrefix(s.path, "test/") }

// untracked are the folders that are no part of the repository, by path.
var untracked = map[string]bool{".git": true, ".work": true, "bin": true, "cmd/longear/web/built": true}

// fetched are the folders, by name, of what others wrote and is fetched.
var fetched = map[string]bool{"node_modules": true}

func readTree(t *testing.T) *tree {
	t.Helper()
	r := &tree{fset: token.NewFileSet(), texts: map[string]string{}, folders: map[string]bool{}, excused: overBudgetBecause}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (untracked[name] || fetched[d.Name()]):
			return fs.SkipDir
		case untracked[name]: // .git is a file where a second working tree is checked out
			return nil
		case d.IsDir():
			r.folders[name] = true
			return nil
		}
		b, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if ext := path.Ext(name); ext == ".test" || ext == ".prof" || strings.ContainsRune(string(b), 0) {
			return nil
		}
		r.add(t, name, string(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// add takes in one file.
func (r *tree) add(t *testing.T, name, text string) {
	t.Helper()
	r.texts[name] = text
	if path.Ext(name) != ".go" {
		return
	}
	f, err := parser.ParseFile(r.fset, name, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	s := source{path: name, file: f, lines: strings.Count(text, "\n")}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		s.imports = append(s.imports, p)
	}
	r.sources = append(r.sources, s)
}
