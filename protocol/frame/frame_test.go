package frame_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/reconcile"
)

// key makes a key of a rank that differs in its last byte.
func key(rank, last byte) reconcile.Key {
	var k reconcile.Key
	k[0], k[len(k)-1] = rank, last
	return k
}

// request has everything that a request can have.
func request() frame.Request {
	whole := reconcile.Prefix{}.Child(0)
	return frame.Request{Number: 300, Below: key(0, 9), Wants: []reconcile.Want{
		{Prefix: whole, Whole: true},
		{Prefix: reconcile.Prefix{}.Child(1), Short: []reconcile.ShortID{7, 8}},
	}}
}

func read(from io.Reader) (frame.Kind, []byte, error) {
	return frame.Read(bufio.NewReader(from), func(frame.Kind, []byte) {})
}

func TestEveryKindReadsBack(t *testing.T) {
	for kind, size := range map[frame.Kind]int{
		frame.Hello: 256, frame.Round: reconcile.MaxMessage + 16, frame.Recon: reconcile.MaxMessage, frame.Pull: reconcile.MaxMessage,
		frame.Messages: protocol.MaxFrame, frame.Done: 64, frame.Nudge: 0,
	} {
		payload := bytes.Repeat([]byte{byte(kind)}, size)
		wire := frame.Append([]byte("before")[:0], kind, payload)
		got, streamed, err := read(bytes.NewReader(wire))
		if err != nil || got != kind || !bytes.Equal(streamed, payload) {
			t.Errorf("kind %d from a stream: %d, %d bytes, %v", kind, got, len(streamed), err)
		}
		got, split, rest, err := frame.Split(append(wire, "rest"...))
		if err != nil || got != kind || !bytes.Equal(split, payload) || string(rest) != "rest" {
			t.Errorf("kind %d from a body: %d, %d bytes, %q, %v", kind, got, len(split), rest, err)
		}
		over := frame.Append(nil, kind, append(payload, 0))
		if _, _, err := read(bytes.NewReader(over)); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("kind %d with a byte too many from a stream: %v", kind, err)
		}
		if _, _, _, err := frame.Split(over); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("kind %d with a byte too many from a body: %v", kind, err)
		}
	}
}

// TestParts: of a frame that comes byte by byte each KiB is told as it comes, and not what is less.
func TestParts(t *testing.T) {
	payload := bytes.Repeat([]byte("part"), 800) // 3,200 bytes
	wire := frame.Append(frame.Append(nil, frame.Messages, payload), frame.Pull, payload[:1023])
	stream := bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(wire)), 16)
	var told []int
	for range 2 {
		_, _, err := frame.Read(stream, func(kind frame.Kind, part []byte) {
			if kind != frame.Messages || !bytes.HasPrefix(payload, part) {
				t.Errorf("of kind %d is told %q", kind, part)
			}
			told = append(told, len(part))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(told, []int{1024, 2048, 3072}) {
		t.Errorf("told at %d bytes, want each KiB of the first frame", told)
	}
}

// TestNothingIsAllocatedForALie: the length of a frame that ends early is believed only within the kind's limit.
func TestNothingIsAllocatedForALie(t *testing.T) {
	for _, kind := range []byte{0, 1, 6, 7, 8, 255} {
		lie := binary.AppendUvarint([]byte{kind}, 1<<40)
		if _, _, err := read(bytes.NewReader(lie)); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("kind %d of 2^40 bytes: %v", kind, err)
		}
	}
	short := binary.AppendUvarint([]byte{byte(frame.Messages)}, 1000)
	if _, _, err := read(bytes.NewReader(short)); !errors.Is(err, io.EOF) {
		t.Errorf("a frame that ends early: %v", err)
	}
}

func TestRecords(t *testing.T) {
	b := frame.AppendRecord(nil, 0, []byte("one"))
	b = frame.AppendRecord(b, 1<<50, []byte("two"))
	for _, want := range []struct {
		age  uint64
		wire string
	}{{0, "one"}, {uint64(protocol.MaxLifetime.Milliseconds()), "two"}} {
		age, wire, rest, err := frame.SplitRecord(b)
		if err != nil || age != want.age || string(wire) != want.wire {
			t.Fatalf("%d %q %v, want %v", age, wire, err, want)
		}
		b = rest
	}
	for _, bad := range [][]byte{{}, {5, 0, 1}, {0}, {0x80}, {1, 0x80}, bytes.Repeat([]byte{0xff}, 11)} {
		if _, _, _, err := frame.SplitRecord(bad); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}

func TestScopes(t *testing.T) {
	want := reconcile.Scope{Floor: 5 * reconcile.FloorStep, Ranks: 3}
	got, message, err := frame.SplitScope(append(frame.AppendScope(nil, want), "message"...))
	if err != nil || got != want || string(message) != "message" {
		t.Errorf("%v %q %v", got, message, err)
	}
	for _, bad := range [][]byte{{}, {1}, {1, 8}, binary.AppendUvarint(nil, protocol.MaxCreated)} {
		if _, _, err := frame.SplitScope(bad); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}

func TestRequestsAndTheirEnds(t *testing.T) {
	want := request()
	got, err := frame.ParseRequest(want.Append(nil))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	want.Below = reconcile.Key{}
	if got, err := frame.ParseRequest(want.Append(nil)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("without a cursor: %+v, %v", got, err)
	}
	for _, bad := range [][]byte{{}, {1}, {1, 0}, {1, 2, 0}, append([]byte{1, 1}, make([]byte, 10)...)} {
		if _, err := frame.ParseRequest(bad); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("request %x: %v", bad, err)
		}
	}
	for _, end := range []frame.End{{Number: 7}, {Number: 1 << 40, More: true, At: 3, Below: key(2, 1)}} {
		if got, err := frame.ParseEnd(end.Append(nil)); err != nil || got != end {
			t.Errorf("%+v, %v, want %+v", got, err, end)
		}
	}
	for _, bad := range [][]byte{{}, {0x80}, {1, 0x80}, {1, 0}, append([]byte{1, 0}, make([]byte, 38)...)} {
		if _, err := frame.ParseEnd(bad); !errors.Is(err, frame.ErrFrame) {
			t.Errorf("end %x: %v", bad, err)
		}
	}
}

// TestAnswersMoveOn: an answer that says to go on must have got somewhere, or it would go on for ever.
func TestAnswersMoveOn(t *testing.T) {
	p := request()
	for _, c := range []struct {
		name  string
		end   frame.End
		more  bool
		wants int
		bad   bool
	}{
		{"whole", frame.End{}, false, 0, false},
		{"within the first want", frame.End{More: true, Below: key(0, 8)}, true, 2, false},
		{"within the second want", frame.End{More: true, At: 1, Below: key(1, 200)}, true, 1, false},
		{"where it began", frame.End{More: true, Below: key(0, 9)}, false, 0, true},
		{"before it began", frame.End{More: true, Below: key(0, 10)}, false, 0, true},
		{"outside its want", frame.End{More: true, At: 1, Below: key(0, 8)}, false, 0, true},
		{"behind the last want", frame.End{More: true, At: 2, Below: key(1, 1)}, false, 0, true},
	} {
		next, more, err := c.end.Next(p)
		if more != c.more || len(next.Wants) != c.wants || errors.Is(err, frame.ErrFrame) != c.bad {
			t.Errorf("%s: %v, %d wants, %v", c.name, more, len(next.Wants), err)
		}
		if more && next.Below != c.end.Below {
			t.Errorf("%s goes on below %v", c.name, next.Below)
		}
	}
}

// FuzzFrames: whatever a stranger sends is read within bounds, and what is read says the same when it is written again.
func FuzzFrames(f *testing.F) {
	f.Add(frame.Append(nil, frame.Pull, request().Append(nil)))
	f.Add(frame.Append(nil, frame.Done, frame.End{Number: 1, More: true, At: 1, Below: key(1, 1)}.Append(nil)))
	f.Add(frame.Append(nil, frame.Round, frame.AppendScope(nil, reconcile.Scope{Ranks: 7})))
	f.Add(frame.Append(nil, frame.Messages, frame.AppendRecord([]byte{1}, 5, []byte("wire"))))
	f.Add(append(frame.Append(nil, frame.Nudge, nil), frame.Append(nil, frame.Hello, []byte{8, 1})...))
	f.Fuzz(func(t *testing.T, b []byte) {
		stream := bufio.NewReader(bytes.NewReader(b))
		for rest := b; len(rest) > 0; {
			kind, payload, next, err := frame.Split(rest)
			same, streamed, streamErr := frame.Read(stream, func(frame.Kind, []byte) {})
			if err != nil {
				if streamErr == nil {
					t.Fatalf("a stream gives frame %d of what a body does not: %v", same, err)
				}
				return
			}
			if streamErr != nil || same != kind || !bytes.Equal(streamed, payload) {
				t.Fatalf("a stream gives %d, %v, a body %d", same, streamErr, kind)
			}
			rest = next
			check(t, kind, payload)
		}
	})
}

// check reads a payload and writes it again.
func check(t *testing.T, kind frame.Kind, payload []byte) {
	t.Helper()
	switch kind {
	case frame.Round:
		if s, _, err := frame.SplitScope(payload); err == nil {
			if again, _, err := frame.SplitScope(frame.AppendScope(nil, s)); err != nil || again != s {
				t.Errorf("scope %v reads back as %v, %v", s, again, err)
			}
		}
	case frame.Pull:
		if p, err := frame.ParseRequest(payload); err == nil {
			if again, err := frame.ParseRequest(p.Append(nil)); err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("request %v reads back as %v, %v", p, again, err)
			}
		}
	case frame.Done:
		if d, err := frame.ParseEnd(payload); err == nil {
			if again, err := frame.ParseEnd(d.Append(nil)); err != nil || again != d {
				t.Errorf("end %v reads back as %v, %v", d, again, err)
			}
		}
	case frame.Messages:
		for rest := payload; len(rest) > 0; {
			_, _, next, err := frame.SplitRecord(rest)
			if err != nil {
				return
			}
			rest = next
		}
	}
}
