package test

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	// anyType is the type that turns the checker off.
	anyType = regexp.MustCompile(`[:<|&,(]\s*any\b|\bas any\b|\bany\[\]`)
	// class is a class where a function would do. A sort of error is one: nothing else can be told apart where it is caught.
	class = regexp.MustCompile(`^\s*(export )?(default )?(abstract )?class \w`)
	// exportedName is a declaration that others may import. A list of names from elsewhere is none.
	exportedName = regexp.MustCompile(`^export (?:async )?(?:function\*?|const|let|interface|type) (\w+)`)
	function     = regexp.MustCompile(`^(?:export )?(?:async )?function\*? (\w+)`)
)

// badScripts holds the TypeScript to what holds for Go: a file says what it is for, an exported name has a comment, nothing is
// longer than its budget; and no type is any.
func badScripts(r *tree) (bad []string) {
	for name, text := range r.texts {
		if ext := path.Ext(name); ext != ".ts" && ext != ".tsx" {
			continue
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		test := strings.HasSuffix(name, ".test.ts") || strings.HasPrefix(name, "test/") || strings.HasPrefix(name, "cmd/longear/web/test/")
		if len(lines) > maxFileLines && !test {
			bad = append(bad, fmt.Sprintf("%s has %d lines, the budget is %d", name, len(lines), maxFileLines))
		}
		if !strings.HasPrefix(text, "// ") {
			bad = append(bad, name+": the first line does not say what it is for")
		}
		began, in := 0, ""
		for i, line := range lines {
			if anyType.MatchString(code(line)) {
				bad = append(bad, fmt.Sprintf("%s:%d: any is no type", name, i+1))
			}
			if class.MatchString(line) && !strings.Contains(line, " extends Error {") {
				bad = append(bad, fmt.Sprintf("%s:%d: a class: do functions not do?", name, i+1))
			}
			if m := exportedName.FindStringSubmatch(line); m != nil && !test && (i == 0 || !strings.HasSuffix(lines[i-1], "*/")) {
				bad = append(bad, name+": "+m[1]+" has no comment")
			}
			if m := function.FindStringSubmatch(line); m != nil {
				began, in = i, m[1]
			}
			if line == "}" && in != "" {
				if n := i - began + 1; n > maxFuncLines && !test {
					bad = append(bad, fmt.Sprintf("%s %s has %d lines, the budget is %d", name, in, n, maxFuncLines))
				}
				in = ""
			}
		}
	}
	return bad
}

// code is what a line holds beside comments, as they are written here.
func code(line string) string {
	if t := strings.TrimSpace(line); strings.HasPrefix(t, "*") || strings.HasPrefix(t, "/*") {
		return ""
	}
	before, _, _ := strings.Cut(line, "//")
	return before
}
