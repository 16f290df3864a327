//go:build linux

package hosts_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	onStick    = 40 // messages in the carry file
	atHome     = 3  // messages that C had before
	unverified = 6  // exit code of carry in for a damaged file
)

// TestStick: messages travel in a file to a machine without any network, whole or damaged. What is good in it arrives, what was
// there stays, and the error says where the damage is.
func TestStick(t *testing.T) {
	t.Parallel()
	file, ids := writeStick(t)
	starts := recordStarts(t, file)
	some := file[:starts[30]:starts[30]] // 30 records and no end
	for _, c := range []struct {
		name   string
		file   []byte
		behind func(io.Writer) error // writes what follows
		arrive int                   // messages that must arrive
		code   int
	}{
		{name: "whole", file: file, arrive: onStick},
		// One bit of one text: its signature is wrong, and the checksum of the file with it. The others are good.
		{name: "tampered", file: flipped(file, starts[11]-100), arrive: onStick - 1, code: unverified},
		// Pulled out while it was being written.
		{name: "truncated", file: file[:starts[30]+17], arrive: 30, code: unverified},
		{name: "length-of-petabytes", file: binary.AppendUvarint(some, 1<<50), arrive: 30, code: unverified},
		{name: "junk-behind", file: some, behind: junk, arrive: 30, code: unverified},
		{name: "junk-only", behind: junk, code: unverified},
		{name: "empty", code: unverified},
		// Well-framed records that are too long for a message, a hundred megabytes of them.
		{name: "long-records", file: some, behind: longRecords, arrive: 30, code: unverified},
	} {
		for _, running := range []bool{false, true} {
			name := c.name + "/no-node"
			if running {
				name = c.name + "/node"
			}
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
				writeFile(t, path, c.file, c.behind)
				r := h.try("carry", "in", path)
				if r.code != c.code {
					t.Errorf("exit code %d, want %d; it said %s", r.code, c.code, r.err)
				}
				if c.code != 0 && !strings.Contains(r.err, "byte") {
					t.Errorf("the error does not say where: %s", r.err)
				}
				if r.rss > 192<<20 {
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
				figure(t, "stick/"+name+"/memory-at-most", float64(r.rss)/(1<<20), "MiB")
			})
		}
	}
}

// writeFile writes a carry file, and whatever is behind it.
func writeFile(t *testing.T, path string, head []byte, behind func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(head)
	if err == nil && behind != nil {
		err = behind(f)
	}
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
}

// Neither keeps what it writes in memory: a child's peak counts its parent's size at the fork.
const giant = 100 << 20

func junk(w io.Writer) error {
	_, err := io.CopyN(w, rand.NewChaCha8([32]byte{1}), giant)
	return err
}

// longRecords writes records that are longer than any message.
func longRecords(w io.Writer) error {
	const each = 50 << 10
	record := append(binary.AppendUvarint(nil, each), make([]byte, each)...)
	for range giant / each {
		if _, err := w.Write(record); err != nil {
			return err
		}
	}
	return nil
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
