package node_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// photo posts a photo in so many chunks: they share a moment, as those of a real one do.
func (m *member) photo(t *testing.T, chunks int) []*protocol.Message {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(chunks), 1))
	at := uint64(time.Now().UnixMilli())
	var out []*protocol.Message
	for range chunks {
		body := make([]byte, protocol.MaxBody)
		for i := range body {
			body[i] = byte(r.Uint32())
		}
		msg, err := m.Publish(t.Context(), protocol.Draft{Created: at, Channel: water(t), Class: protocol.Media, Kind: protocol.KindChunk, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, msg)
	}
	return out
}

// TestChunksComeBySync: no chunk is told by gossip, not even when a peer tells it.
func TestChunksComeBySync(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ways := map[node.Way]int{}
		a := w.add(nil)
		b := w.join(nil, func(c *node.Config) { c.Arrived = func(a node.Arrival) { ways[a.Way]++ } })
		w.meet(a, b)
		time.Sleep(15 * time.Second)
		delivered := b.Status().Gossip.Delivered
		chunks := a.photo(t, 5)
		time.Sleep(10 * time.Second)
		if n := b.lacks(t, chunks); n != 0 || ways[node.BySync] != 5 || b.Status().Gossip.Delivered != delivered {
			t.Errorf("b lacks %d; ways %v; %d delivered by gossip", n, ways, b.Status().Gossip.Delivered-delivered)
		}
		teller := w.listen()
		defer teller.Close()
		topic := mesh(t, t.Context(), teller)
		if err := teller.Connect(t.Context(), b.host.Peerstore().PeerInfo(b.host.ID())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		told, err := protocol.Sign(a.key, protocol.Draft{Created: 7, Channel: water(t), Class: protocol.Media, Kind: protocol.KindChunk, Body: []byte("told")})
		if err != nil {
			t.Fatal(err)
		}
		if err := topic.Publish(t.Context(), append(binary.AppendUvarint(nil, 0), told.Wire()...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if b.lacks(t, []*protocol.Message{told}) != 1 {
			t.Error("a chunk was taken from gossip")
		}
		if st := b.Status(); st.Verdicts[protocol.IgnoreBudget.String()] == 0 || len(b.Peers()) == 0 {
			t.Errorf("verdicts %v, %d peers", st.Verdicts, len(b.Peers()))
		}
	})
}

// gave is how many messages members have given by sync.
func gave(members ...*member) (n uint64) {
	for _, m := range members {
		n += m.Status().Sync.Gave
	}
	return n
}

// TestPhotoResumes: a contact cut in the middle of a photo goes on at the next peer with what is missing, and nothing is fetched twice.
func TestPhotoResumes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, c := w.add(nil), w.add(nil)
		w.meet(a, c)
		chunks := a.photo(t, 120)
		time.Sleep(20 * time.Second)
		if n := c.lacks(t, chunks); n != 0 {
			t.Fatalf("the second source lacks %d", n)
		}
		before := gave(a, c)
		b := w.add(nil)
		w.meet(a, b)
		time.Sleep(time.Second)
		a.stop()
		time.Sleep(time.Second)
		had := len(chunks) - b.lacks(t, chunks)
		if had < 10 || had > 110 {
			t.Fatalf("the cut came too early or too late: %d chunks are there", had)
		}
		w.meet(b, c)
		time.Sleep(20 * time.Second)
		if n := b.lacks(t, chunks); n != 0 {
			t.Errorf("%d of %d chunks are missing", n, len(chunks))
		}
		// What was on the way when the contact was cut may be fetched again.
		if n := gave(a, c) - before; n > uint64(len(chunks)+8) {
			t.Errorf("%d chunks given for %d; %d before the cut", n, len(chunks), had)
		}
	})
}

// TestPhotoFromSeveral: peers that all have a photo give different chunks of it, at once, and none twice.
func TestPhotoFromSeveral(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		sources := []*member{w.add(nil), w.add(nil), w.add(nil)}
		w.meet(sources[0], sources[1])
		w.meet(sources[1], sources[2])
		chunks := sources[0].photo(t, 128)
		texts := sources[0].post(t, 5)
		time.Sleep(30 * time.Second)
		for i, s := range sources {
			if n := s.lacks(t, chunks) + s.lacks(t, texts); n != 0 {
				t.Fatalf("source %d lacks %d", i, n)
			}
		}
		before := []uint64{gave(sources[0]), gave(sources[1]), gave(sources[2])}
		b := w.add(nil)
		for _, s := range sources {
			w.meet(b, s)
		}
		time.Sleep(30 * time.Second)
		if n := b.lacks(t, chunks) + b.lacks(t, texts); n != 0 {
			t.Errorf("%d are missing", n)
		}
		sum := uint64(0)
		for i, s := range sources {
			n := gave(s) - before[i]
			t.Logf("source %d gave %d", i, n)
			if sum += n; n < 10 {
				t.Errorf("source %d gave only %d of %d", i, n, len(chunks))
			}
		}
		if most := uint64(len(chunks) + len(texts)); sum > most {
			t.Errorf("%d given for %d", sum, most)
		}
	})
}

// TestFallenSource: when the peer that was asked for everything fails before it gave anything, another is asked.
func TestFallenSource(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, c := w.add(nil), w.add(nil)
		w.meet(a, c)
		chunks := a.photo(t, 40)
		time.Sleep(20 * time.Second)
		b := w.add(nil)
		w.meet(b, a)
		w.meet(b, c)
		time.Sleep(60 * time.Millisecond)
		a.stop()
		time.Sleep(15 * time.Second)
		if n := b.lacks(t, chunks); n != 0 {
			t.Errorf("%d of %d chunks are missing", n, len(chunks))
		}
	})
}

// TestTextPassesMedia: alerts and texts that only sync brings, here those of a carry file, are not stuck behind a photo under way on the same link, in either direction.
func TestTextPassesMedia(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		st, err := store.Open(store.Config{Quota: 128 << 20})
		if err != nil {
			t.Fatal(err)
		}
		big, err := store.Open(store.Config{Quota: 128 << 20})
		if err != nil {
			t.Fatal(err)
		}
		a, b := w.add(st), w.add(big)
		chunks := a.photo(t, 1200) // 38 MiB: 16 s at 20 Mbit/s
		w.meet(a, b)
		time.Sleep(3 * time.Second)
		var late time.Duration
		for i := range 6 {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			msg, err := protocol.Sign(from.key, protocol.Draft{Channel: water(t), Class: protocol.Class(i / 2 % 2), Body: []byte{byte(i)}})
			if err != nil {
				t.Fatal(err)
			}
			file := func(yield func(protocol.CarryRecord, error) bool) {
				yield(protocol.CarryRecord{Wire: msg.Wire(), Age: time.Hour}, nil)
			}
			if done, err := from.Import(t.Context(), file); err != nil || done.New != 1 {
				t.Fatal(done, err)
			}
			took := arrival(t, to, msg, 10*time.Second)
			t.Logf("message %d took %v, %d chunks are missing", i, took, b.lacks(t, chunks))
			late = max(late, took)
		}
		if n := b.lacks(t, chunks); n < 100 {
			t.Fatalf("the photos were through before the test began: %d are missing", n)
		}
		t.Logf("the slowest of 6 took %v", late)
		if late > 2*time.Second {
			t.Errorf("an alert took %v behind photos", late)
		}
	})
}

// arrival waits for a message, in steps of a millisecond of virtual time.
func arrival(t *testing.T, to *member, msg *protocol.Message, most time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < most {
		if _, err := to.store.Get(msg.ID); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}
