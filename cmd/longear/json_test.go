package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/json.golden anew")

// TestJSONKeys: programs read --json; keys are only ever added. testdata/json.golden lists those of every verb with
// their types, and a change to it is a change of the contract.
func TestJSONKeys(t *testing.T) {
	dir := t.TempDir()
	in := func(home string) string { return filepath.Join(dir, home) }
	_, said := start(t, "relay", "--home", in("a"))
	said.await(t, "listening ")
	text, _ := said.now()
	addr := strings.Fields(text)[1]
	_, other := start(t, "relay", "--home", in("b"), "--connect", addr)
	other.await(t, "neighbour ")
	pass := filepath.Join(dir, "pass")
	if err := os.WriteFile(pass, []byte("correct horse battery staple"), 0o600); err != nil {
		t.Fatal(err)
	}

	keys := make(map[string]bool)
	ask := func(verb string, args ...string) map[string]any {
		t.Helper()
		out, failure := jsonLines(t, append(args, "--json"))
		if failure != nil {
			out = append(out, failure)
		}
		if len(out) == 0 {
			t.Fatalf("%v prints no JSON", args)
		}
		for _, v := range out {
			collect(keys, verb, v)
		}
		return out[0]
	}
	sent := ask("send", "send", "--home", in("a"), "--wait=20s", "--stamp", "2", "#water", "x")
	card := ask("key show", "key", "show", "--home", in("b"))["card"].(string)
	letter := ask("send", "send", "--home", in("a"), "--wait=20s", "@"+card, "x")["id"].(string)
	photo := ask("send", "send", "--home", in("a"), "--wait=20s", "--file", pass, "#water")["id"].(string)
	ask("save", "save", "--home", in("a"), photo, in("saved"))
	ask("watch", "watch", "--home", in("b"), "--no-follow")
	ask("why", "why", "--home", in("a"), sent["id"].(string)[:6])
	ask("why", "why", "--home", in("b"), letter)
	poll := ask("poll new", "poll", "new", "--home", in("a"), "where to?", "north", "south")["id"].(string)
	ask("petition new", "petition", "new", "--home", in("a"), "open the gate")
	ask("respond", "respond", "--home", in("a"), sent["id"].(string), "react", "x")
	ask("respond", "respond", "--home", in("a"), poll, "vote", "1")
	ask("why", "why", "--home", in("a"), poll)
	ask("why", "why", "--home", in("a"), sent["id"].(string))
	ask("status", "status", "--home", in("a"))
	ask("peers", "peers", "--home", in("b"))
	ask("events", "events", "--home", in("b"))
	ask("page", "page", "--home", in("b"))
	ask("connect", "connect", "--home", in("b"), addr)
	ask("channels", "channels", "--home", in("a"))
	ask("channels new", "channels", "new", "--home", in("a"), "crew")
	ask("channels leave", "channels", "leave", "--home", in("a"), "crew")
	ask("carry out", "carry", "out", "--home", in("a"), in("f.ear"))
	ask("carry in", "carry", "in", "--home", in("c"), in("f.ear"))
	ask("carry in", "carry", "in", "--home", in("c"), pass)
	ask("key backup", "key", "backup", "--home", in("a"), "--passphrase-file", pass, in("k.age"))
	ask("config paths", "config", "paths", "--home", in("a"))
	ask("config check", "config", "check", "--home", in("a"))
	// A key that others can read makes doctor fail, whatever else this machine is like.
	if err := os.Chmod(filepath.Join(in("c"), "state", "identity.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	ask("doctor", "doctor", "--home", in("c"))
	ask("hub card", "hub", "--home", in("a"), "--card", in("card.html"))
	ask("version", "version")
	ask("failure", "status", "--home", in("nobody"))

	got := strings.Join(slices.Sorted(maps.Keys(keys)), "\n") + "\n"
	golden := filepath.Join("testdata", "json.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(want)) {
		if !keys[strings.TrimSpace(line)] {
			t.Errorf("gone: %s", line)
		}
		delete(keys, strings.TrimSpace(line))
	}
	for line := range keys {
		t.Errorf("new (run with -update if it is meant): %s", line)
	}
}

// jsonLines runs a verb. The failure, if it fails, is the last line on stderr.
func jsonLines(t *testing.T, args []string) (out []map[string]any, failure map[string]any) {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd := exec.Command("longear", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	for line := range strings.Lines(stdout.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v printed %q: %v", args, line, err)
		}
		out = append(out, v)
	}
	if err == nil {
		return out, nil
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &failure); err != nil || failure["type"] != "error" {
		t.Fatalf("%v failed without an error object: %s", args, stderr.String())
	}
	return out, failure
}

// collect notes every key under v with the type of its value.
func collect(keys map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if counters[path] {
				k = "*"
			}
			sep := "."
			if !strings.Contains(path, ":") {
				sep = ": "
			}
			collect(keys, path+sep+k, inner)
		}
	case []any:
		keys[path+" list"] = true
		for _, inner := range v {
			collect(keys, path+"[]", inner)
		}
	case nil:
		keys[path+" null"] = true
	default:
		keys[strings.Replace(fmt.Sprintf("%s %T", path, v), "float64", "number", 1)] = true
	}
}

// counters are objects whose keys are data.
var counters = map[string]bool{"status: verdicts": true, "carry in: reasons": true}
