package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxProgram is the most that the stripped program may have, in bytes: what it had when this was last set, and 3 % more. A
// phone on a bad link gets it from another phone. Raising it is a commit of its own, with the reason.
const maxProgram = 29_750_000

// build makes a static, stripped program from a package and returns what the linker said.
func build(t *testing.T, dir, out, platform string, pkg string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs")
	}
	goos, goarch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -dumpdep", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("build for %s: %v\n%s", platform, err, said[:min(len(said), 4<<10)])
	}
	return string(said)
}

// reflected are the functions in a linker's list of dependencies that look methods up by a name made at run time. While
// one is reachable the linker keeps every exported method of every type: megabytes.
func reflected(dump string) (found []string) {
	for line := range strings.Lines(dump) {
		from, _, _ := strings.Cut(line, " -> ")
		if f, ok := strings.CutSuffix(from, " <ReflectMethod>"); ok && (len(found) == 0 || found[len(found)-1] != f) {
			found = append(found, f)
		}
	}
	return found
}

func TestProgram(t *testing.T) {
	out := filepath.Join(t.TempDir(), "longear")
	dump := build(t, "..", out, "linux/amd64", "./cmd/longear")
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("linux/amd64: %d bytes, bound %d", info.Size(), maxProgram)
	if info.Size() > maxProgram {
		t.Errorf("the program has %d bytes, the bound is %d: what was added, and is it worth it?", info.Size(), maxProgram)
	}
	if info.Size() < maxProgram*9/10 {
		t.Errorf("the program has %d bytes: lower the bound of %d", info.Size(), maxProgram)
	}
	if !strings.Contains(dump, "main.main -> ") {
		t.Error("the linker did not list its dependencies")
	}
	for _, f := range reflected(dump) {
		t.Errorf("%s defeats the removal of dead code: it looks a method up by name", f)
	}
}

// TestOtherPlatforms: the program compiles for what people have beside it.
func TestOtherPlatforms(t *testing.T) {
	build(t, "..", os.DevNull, "linux/arm64", "./cmd/longear")
}

// TestReflectedBites: the check in TestProgram sees a lookup by name, and does not see one by a constant.
func TestReflectedBites(t *testing.T) {
	for name, want := range map[string]bool{"os.Args[0]": true, `"Error"`: false} {
		dir := t.TempDir()
		var src bytes.Buffer
		src.WriteString("package main\nimport (\"os\"; \"reflect\")\n")
		src.WriteString("func main() { _ = os.Args; reflect.ValueOf(os.ErrExist).MethodByName(" + name + ") }\n")
		for file, text := range map[string]string{"main.go": src.String(), "go.mod": "module m\n\ngo 1.26\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		found := reflected(build(t, dir, filepath.Join(dir, "m"), "linux/amd64", "."))
		if (len(found) > 0) != want {
			t.Errorf("MethodByName(%s): found %q", name, found)
		}
	}
}
