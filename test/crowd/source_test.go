package crowd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longear/protocol"
	"longear/test/crowd/contact"
	"longear/test/crowd/story"
)

// TestTraceMessages: a trace's messages are direct ones, which their readers can read and nobody else, as long as a message may be.
func TestTraceMessages(t *testing.T) {
	dir := t.TempDir()
	trace := "0 CONN 1 2 up\n0 CONN 2 3 up\n20 C M1 1 3 500\n20 C M2 3 1 500000\n"
	if err := os.WriteFile(filepath.Join(dir, "three.one"), []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	s := tell(t, "nodes 3", "trace one three.one", "advance 40s", "expect carried within 1s")
	inWorldOf(t, s, Options{Seed: 1, Dir: dir}, func(t *testing.T, w *World) {
		r, err := w.report(false)
		if err != nil {
			t.Fatal(err)
		}
		if r.Messages != 2 || r.Deliveries != 2 || r.Pairs != 2 || r.Shortened != 1 || len(r.Failed) > 0 {
			t.Errorf("%d messages, %d of %d delivered, %d cut, %q; want 2, 2 of 2 and 1", r.Messages, r.Deliveries, r.Pairs, r.Shortened, r.Failed)
		}
		for i, size := range []int{500, protocol.MaxDirectText} {
			p := w.ledger.posts[i]
			for _, m := range w.members {
				e, err := m.store.Get(p.msg.ID)
				if err != nil {
					t.Fatal(err)
				}
				switch private, err := protocol.OpenDirect(m.seal, e.Message); {
				case m.number != p.to && err == nil:
					t.Errorf("n%d reads what n%d wrote to n%d", m.number, p.from, p.to)
				case m.number != p.to:
				case err != nil:
					t.Errorf("n%d cannot read what n%d wrote to it: %v", m.number, p.from, err)
				case private.Author() != protocol.AuthorOf(w.members[p.from].key) || private.Text() != p.text || len(p.text) != size:
					t.Errorf("n%d reads %.40q of %d bytes, want %.40q of %d", m.number, private.Text(), len(private.Text()), p.text, size)
				}
			}
		}
	})
}

// TestTraceIsBounded: a trace's messages count with the story's own, before anything is played.
func TestTraceIsBounded(t *testing.T) {
	inWorld(t, 1, tell(t, "nodes 2"), func(t *testing.T, w *World) {
		most := story.MostPairs / 2
		if err := w.create(make([]contact.Create, most+1)); err == nil || !strings.Contains(err.Error(), "at most 10000000 for 2 nodes") {
			t.Errorf("more than there may be: %v", err)
		}
		w.story.Steps = []story.Step{{Do: story.Publish{Count: most}}}
		if err := w.create(make([]contact.Create, 1)); err == nil || !strings.Contains(err.Error(), "at most") {
			t.Errorf("one more than there may be: %v", err)
		}
	})
}
