package web_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sources is where the TypeScript is, and the packages that it needs.
const sources = "../../cmd/longear/web"

// request is what the TypeScript end is asked; peer.ts says which operation reads what.
type request struct {
	Op        string   `json:"op"`
	List      []string `json:"list,omitempty"`
	Text      string   `json:"text,omitempty"`
	Seed      string   `json:"seed,omitempty"`
	Key       string   `json:"key,omitempty"`
	Salt      string   `json:"salt,omitempty"`
	Initiator bool     `json:"initiator,omitempty"`
	Quiet     bool     `json:"quiet,omitempty"`
	Scope     scope    `json:"scope"`
	Drafts    []told   `json:"drafts,omitempty"`
}

type scope struct {
	Floor uint64 `json:"floor"`
	Ranks uint16 `json:"ranks"`
}

// told is a message as both ends tell of it.
type told struct {
	Seed     string   `json:"seed,omitempty"`
	Verdict  string   `json:"verdict,omitempty"`
	ID       string   `json:"id,omitempty"`
	Key      string   `json:"key,omitempty"`
	Author   string   `json:"author"`
	Created  uint64   `json:"created"`
	Lifetime uint32   `json:"lifetime"`
	Channel  string   `json:"channel"`
	Class    uint8    `json:"class"`
	Kind     uint16   `json:"kind"`
	Flags    uint32   `json:"flags"`
	Parents  []string `json:"parents"`
	Body     string   `json:"body"`
	Nonce    uint64   `json:"nonce,string"`
}

// answer is what it says.
type answer struct {
	Error      string          `json:"error"`
	List       []string        `json:"list"`
	Results    json.RawMessage `json:"results"`
	Text       string          `json:"text"`
	Malformed  bool            `json:"malformed"`
	Due        bool            `json:"due"`
	Done       bool            `json:"done"`
	Wants      string          `json:"wants"`
	Incomplete bool            `json:"incomplete"`
	Equal      bool            `json:"equal"`
}

// peer is the TypeScript end, a process of its own.
type peer struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

// missing skips the test and says what for.
func missing(t *testing.T, what string) {
	t.Helper()
	t.Skipf("SKIPPED: the TypeScript is not held against the Go: no %s", what)
}

// newPeer builds the TypeScript end from its sources and starts it.
func newPeer(t *testing.T) *peer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	esbuild, err := filepath.Abs(filepath.Join(sources, "node_modules/.bin/esbuild"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(esbuild); err != nil {
		missing(t, "packages (make web)")
	}
	readSources(t)
	script := filepath.Join(t.TempDir(), "peer.mjs")
	build := exec.Command(esbuild, "peer.ts", "--bundle", "--platform=node", "--format=esm", "--target=es2022", "--log-level=warning", "--outfile="+script)
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	cmd := exec.Command(node, script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the TypeScript end: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 256<<20)
	return &peer{t: t, in: in, out: lines}
}

// readSources reads what the TypeScript end is made from. The test's results are cached by the files that the test itself reads: without
// this, a change in the TypeScript would not run the tests again.
func readSources(t *testing.T) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(sources, "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil || n < 30 {
		t.Fatalf("%d files of TypeScript, %v", n, err)
	}
	for _, name := range []string{"peer.ts", filepath.Join(sources, "package-lock.json")} {
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
}

// ask sends one request and returns the answer.
func (p *peer) ask(r request) answer {
	p.t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		p.t.Fatalf("%s: %v", r.Op, err)
	}
	if !p.out.Scan() {
		p.t.Fatalf("%s: the TypeScript end has gone: %v", r.Op, p.out.Err())
	}
	var a answer
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		p.t.Fatalf("%s: %v", r.Op, err)
	}
	if a.Error != "" {
		p.t.Fatalf("%s: %s", r.Op, a.Error)
	}
	return a
}

// read has messages read, one by one and in batches, which must agree.
func (p *peer) read(wires [][]byte) []told {
	p.t.Helper()
	list := make([]string, len(wires))
	for i, w := range wires {
		list[i] = hex.EncodeToString(w)
	}
	var results []told
	if err := json.Unmarshal(p.ask(request{Op: "read", List: list}).Results, &results); err != nil {
		p.t.Fatal(err)
	}
	batch := p.ask(request{Op: "batch", List: list}).List
	if len(results) != len(wires) || len(batch) != len(wires) {
		p.t.Fatalf("%d and %d results for %d messages", len(results), len(batch), len(wires))
	}
	for i, v := range batch {
		if v != results[i].Verdict {
			p.t.Fatalf("message %x is %q in a batch, %q alone", wires[i], v, results[i].Verdict)
		}
	}
	return results
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
