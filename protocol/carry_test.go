package protocol_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"longear/protocol"
)

func carried(t testing.TB, n int) ([]byte, []*protocol.Message) {
	t.Helper()
	var file bytes.Buffer
	w := protocol.NewCarryWriter(&file)
	var messages []*protocol.Message
	for i := range n {
		m := mustSign(t, testKey("alice"), protocol.Draft{Nonce: uint64(i), Body: bytes.Repeat([]byte{'x'}, i%300)})
		if err := w.Write(m, time.Duration(i)*time.Second); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), messages
}

// TestCarry: what goes in comes out, however slowly the file is read.
func TestCarry(t *testing.T) {
	file, messages := carried(t, 500)
	i := 0
	for r, err := range protocol.ReadCarry(iotest.OneByteReader(bytes.NewReader(file))) {
		if err != nil {
			t.Fatal(err)
		}
		if m := mustOpen(t, r.Wire); !m.Equal(messages[i]) || r.Age != time.Duration(i)*time.Second {
			t.Fatalf("record %d is %v of age %v", i, m.ID, r.Age)
		}
		i++
	}
	if i != 500 {
		t.Errorf("%d records of 500", i)
	}
}

// TestCarryCutAnywhere: every message before the cut is delivered, and the cut is reported.
func TestCarryCutAnywhere(t *testing.T) {
	file, messages := carried(t, 5)
	for cut := range len(file) {
		n, complaints := 0, 0
		for r, err := range protocol.ReadCarry(bytes.NewReader(file[:cut])) {
			if err != nil {
				complaints++
				continue
			}
			if !mustOpen(t, r.Wire).Equal(messages[n]) {
				t.Fatalf("cut at %d: record %d is another", cut, n)
			}
			n++
		}
		if complaints != 1 {
			t.Fatalf("cut at %d: %d complaints", cut, complaints)
		}
	}
}

// TestCarryFlippedAnywhere: one flipped bit loses at most what is behind it, is always noticed, and never makes a message that
// nobody wrote.
func TestCarryFlippedAnywhere(t *testing.T) {
	file, messages := carried(t, 5)
	for at := range len(file) * 8 {
		bent := bytes.Clone(file)
		bent[at/8] ^= 1 << (at % 8)
		complaints := 0
		for r, err := range protocol.ReadCarry(bytes.NewReader(bent)) {
			if err != nil {
				complaints++
				continue
			}
			m, v := protocol.Open(r.Wire)
			if v != protocol.Accept {
				continue
			}
			if int(m.Nonce) >= len(messages) || !m.Equal(messages[m.Nonce]) {
				t.Fatalf("bit %d: a message that nobody wrote", at)
			}
		}
		if complaints == 0 {
			t.Fatalf("bit %d: not noticed", at)
		}
	}
}

// TestCarryStops: breaking out of the loop ends the reading.
func TestCarryStops(t *testing.T) {
	file, _ := carried(t, 500)
	r := &countingReader{r: bytes.NewReader(file)}
	for range protocol.ReadCarry(r) {
		break
	}
	if r.n > len(file)/4 {
		t.Errorf("%d bytes of %d were read for the first record", r.n, len(file))
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

// TestCarryErrors: failures of the medium come through to whoever can act on them.
func TestCarryErrors(t *testing.T) {
	broken := errors.New("broken stick")
	var last error
	for _, err := range protocol.ReadCarry(iotest.ErrReader(broken)) {
		last = err
	}
	if last == nil {
		t.Error("a broken stick is an empty one")
	}
	file, _ := carried(t, 5)
	for _, err := range protocol.ReadCarry(io.MultiReader(bytes.NewReader(file[:300]), iotest.ErrReader(broken))) {
		last = err
	}
	if !errors.Is(last, broken) {
		t.Errorf("the stick broke with %v", last)
	}
	w := protocol.NewCarryWriter(failingWriter{broken})
	m := mustSign(t, testKey("alice"), protocol.Draft{Body: make([]byte, 30_000)})
	if err := errors.Join(w.Write(m, -time.Second), w.Close()); !errors.Is(err, broken) {
		t.Errorf("writing to a broken stick gives %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
