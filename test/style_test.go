package test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// The budgets. Past one of them there is usually a second idea in the file, function or interface.
const (
	maxFileLines = 400
	maxFuncLines = 60
	maxParams    = 4 // beside ctx
	maxMethods   = 3
)

// overBudgetBecause are the exceptions: "path" for a file, "path name" for a function or an interface. One that is no longer
// needed fails, so that the list only shrinks.
var overBudgetBecause = map[string]string{}

func overBudget(r *tree) (bad []string) {
	used := map[string]bool{}
	over := func(what, format string, args ...any) {
		if _, ok := r.excused[what]; ok {
			used[what] = true
			return
		}
		bad = append(bad, what+" "+fmt.Sprintf(format, args...))
	}
	for _, s := range r.sources {
		if s.inTests() || s.generated() {
			continue
		}
		if s.lines > maxFileLines {
			over(s.path, "has %d lines, the budget is %d", s.lines, maxFileLines)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if l := r.fset.Position(n.End()).Line - r.fset.Position(n.Pos()).Line + 1; l > maxFuncLines {
					over(s.path+" "+n.Name.Name, "has %d lines, the budget is %d", l, maxFuncLines)
				}
				if p := params(n.Type); p > maxParams {
					over(s.path+" "+n.Name.Name, "has %d parameters beside ctx, the budget is %d", p, maxParams)
				}
			case *ast.TypeSpec:
				if i, ok := n.Type.(*ast.InterfaceType); ok && len(i.Methods.List) > maxMethods {
					over(s.path+" "+n.Name.Name, "has %d methods, the budget is %d", len(i.Methods.List), maxMethods)
				}
			}
			return true
		})
	}
	for what := range r.excused {
		if !used[what] {
			bad = append(bad, what+" keeps its budget: remove the exception")
		}
	}
	return bad
}

func params(f *ast.FuncType) (n int) {
	for _, p := range f.Params.List {
		if sel, ok := p.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Context" {
			continue
		}
		n += max(1, len(p.Names))
	}
	return n
}

// badSyntax finds what imports cannot show.
func badSyntax(r *tree) (bad []string) {
	for _, s := range r.sources {
		if s.inTests() {
			continue
		}
		report := func(n ast.Node, what string) {
			bad = append(bad, fmt.Sprintf("%s: %s", r.fset.Position(n.Pos()), what))
		}
		pure := s.dir() == "protocol" || s.dir() == "protocol/reconcile"
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				report(n, "a bare go statement: who ends it? Use errgroup or sync.WaitGroup.Go, owned by a Run")
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					if why := forbiddenCall(s, pure, x.Name+"."+n.Sel.Name); why != "" {
						report(n, why)
					}
				}
			}
			return true
		})
	}
	return bad
}

// forbiddenCall says why a file may not mention a function of the standard library, or nothing.
func forbiddenCall(s source, pure bool, name string) string {
	switch name {
	case "context.Background", "context.TODO":
		if s.file.Name.Name != "main" || path.Base(s.path) != "main.go" {
			return name + " outside main: the lifetime comes from above"
		}
	case "time.Sleep":
		return "time.Sleep cannot be interrupted: use a timer and ctx"
	case "time.Now", "time.Since", "time.Until", "time.After", "time.NewTimer", "time.NewTicker":
		if pure {
			return name + ": the protocol knows no clock"
		}
	case "slog.Debug", "slog.Info", "slog.Warn", "slog.Error", "slog.Default":
		return name + ": the logger comes from the config"
	}
	return ""
}

// undocumented finds packages and exported names without a comment.
func undocumented(r *tree) (bad []string) {
	documented := map[string]bool{}
	for _, s := range r.sources {
		documented[s.dir()] = documented[s.dir()] || s.file.Doc != nil || s.generated()
	}
	for dir, ok := range documented {
		if !ok {
			bad = append(bad, dir+": the package has no comment")
		}
	}
	for _, s := range r.sources {
		if s.isTest() || s.generated() {
			continue
		}
		for _, d := range s.file.Decls {
			for _, name := range bareNames(d) {
				bad = append(bad, fmt.Sprintf("%s: %s has no comment", s.path, name))
			}
		}
	}
	return bad
}

// bareNames are the exported names that a declaration introduces without a comment.
func bareNames(d ast.Decl) (bare []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exportedReceiver(d.Recv.List[0].Type)) {
			bare = append(bare, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					bare = append(bare, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					if n.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						bare = append(bare, n.Name)
					}
				}
			}
		}
	}
	return bare
}

func exportedReceiver(e ast.Expr) bool {
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported()
}

// unwanted are words that have no place in the repository: names of registries and mirrors, absolute paths of somebody's
// machine, and talk about how the work was made. They are in two parts, so that this file does not hold them.
var unwanted = []string{
	"proxy.go" + "lang.org", "sum.go" + "lang.org", "registry.npm" + "js", "py" + "pi.org", "deb.deb" + "ian.org",
	"/wo" + "rk/", "/ro" + "ot/", "/tmp/bash" + "_jobs",
	"anth" + "ropic", "cla" + "ude", "chat" + "gpt", "language " + "model", "ai-" + "generated", "sub" + "agent",
	"the is" + "sue asks", "the le" + "ad writes", "research" + "/",
}

func badWords(r *tree) (bad []string) {
	for name, text := range r.texts {
		if path.Base(name) == "go.sum" || path.Base(name) == "tools.sum" {
			continue
		}
		lower := strings.ToLower(text)
		for _, w := range unwanted {
			if before, _, found := strings.Cut(lower, w); found {
				bad = append(bad, fmt.Sprintf("%s:%d has %q", name, 1+strings.Count(before, "\n"), w))
			}
		}
	}
	slices.Sort(bad)
	return bad
}
