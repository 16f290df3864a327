//go:build linux

package hosts_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	onStick    = 40 // messages in the carry file
	atHome     = 5  // messages that C had before
	unverified = 6  // exit code of carry in for a damaged file
)

// TestStick: messages travel in a file to a machine without any network, whole or damaged.
func TestStick(t *testing.T) {
	t.Parallel()
	file, ids := writeStick(t)
	starts := recordStarts(t, file)
	junk := make([]byte, 100<<20)
	rand.NewChaCha8([32]byte{1}).Read(junk)
	for _, c := range []struct {
		name   string
		file   []byte
		arrive int // messages that must arrive
		code   int
	}{
		{"whole", file, onStick, 0},
		// One bit of one text: the signature is wrong, and the checksum of the file with it. The others are good.
		{"tampered", flipped(file, starts[11]-100), onStick - 1, unverified},
		// Pulled out while it was being written.
		{"truncated", file[:starts[30]+17], 30, unverified},
		{"length-of-petabytes", append(file[:starts[30]:starts[30]], binary.AppendUvarint(nil, 1<<50)...), 30, unverified},
		{"junk-behind", append(file[:starts[30]:starts[30]], junk...), 30, unverified},
		{"junk-only", junk, 0, unverified},
		{"empty", nil, 0, unverified},
		// Well-framed records that are too long for a message, a hundred megabytes of them.
		{"long-records", append(file[:starts[30]:starts[30]], longRecords(100<<20)...), 30, unverified},
	} {
		for _, running := range []bool{false, true} {
			name := fmt.Sprintf("%s/running=%v", c.name, running)
			t.Run(name, func(t *testing.T) {
				h := newWorld(t).host("c")
				if running {
					h.relay()
				}
				var own []string
				for n := range atHome {
					own = append(own, h.send(fmt.Sprintf("own %d", n)))
				}
				path := filepath.Join(t.TempDir(), "stick.ear")
				if err := os.WriteFile(path, c.file, 0o600); err != nil {
					t.Fatal(err)
				}
				r := h.try("carry", "in", path)
				if r.code != c.code {
					t.Errorf("exit code %d, want %d; it said %s", r.code, c.code, r.err)
				}
				if c.code != 0 && !strings.Contains(r.err, "byte") {
					t.Errorf("the error does not say where: %s", r.err)
				}
				if most := int64(192 << 20); r.rss > most {
					t.Errorf("carry in took %d MiB of memory", r.rss>>20)
				}
				have := h.inventory()
				if missing := lost(own, have); len(missing) > 0 {
					t.Errorf("%d messages that were here before are lost", len(missing))
				}
				arrived := onStick - len(lost(ids, have))
				if arrived != c.arrive || len(have) != atHome+c.arrive {
					t.Errorf("%d of the file's messages arrived, want %d; the store has %d", arrived, c.arrive, len(have))
				}
				figure(t, "stick/"+name+"/arrived", float64(arrived), fmt.Sprintf("of-%d", c.arrive))
				figure(t, "stick/"+name+"/memory", float64(r.rss)/(1<<20), "MiB")
			})
		}
	}
}

// writeStick makes a carry file on one machine and returns it with the IDs in it.
func writeStick(t *testing.T) ([]byte, []string) {
	t.Helper()
	a := newWorld(t).host("a")
	a.relay()
	var ids []string
	for n := range onStick {
		ids = append(ids, a.send(fmt.Sprintf("taken along %02d %s", n, strings.Repeat(".", 100))))
	}
	path := filepath.Join(t.TempDir(), "stick.ear")
	a.must("carry", "out", path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b, ids
}

// recordStarts lists where the records of a carry file begin, and where they end.
func recordStarts(t *testing.T, file []byte) []int {
	t.Helper()
	at := bytes.IndexByte(file, '\n') + 1
	starts := []int{at}
	for {
		size, n := binary.Uvarint(file[at:])
		if n <= 0 || at+n+int(size) > len(file) {
			t.Fatalf("record %d at byte %d is not one", len(starts), at)
		}
		if size == 0 {
			break
		}
		at += n + int(size)
		starts = append(starts, at)
	}
	if len(starts) != onStick+1 {
		t.Fatalf("the file has %d records, want %d", len(starts)-1, onStick)
	}
	return starts
}

func flipped(file []byte, at int) []byte {
	out := bytes.Clone(file)
	out[at] ^= 1
	return out
}

// longRecords is size bytes of records a little longer than any message.
func longRecords(size int) []byte {
	const each = 50 << 10
	var out []byte
	for len(out) < size {
		out = binary.AppendUvarint(out, each)
		out = append(out, make([]byte, each)...)
	}
	return out
}
