package node_test

import (
	"slices"
	"testing"
	"time"

	"longear/protocol"
)

// idsOf are the IDs of records.
func idsOf(t *testing.T, in []protocol.CarryRecord) []protocol.ID {
	t.Helper()
	var out []protocol.ID
	for _, r := range in {
		u, v := protocol.Decode(r.Wire)
		if v != protocol.Accept {
			t.Fatal(v)
		}
		out = append(out, u.ID())
	}
	return out
}

// TestCarriers: what guests brought counts those neighbours that have it, each once, whether they fetched it or a round found
// equal sets; and only those.
func TestCarriers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		hub := w.add(nil)
		first := letters(t, 3)
		ids := idsOf(t, first)
		if got := hub.Carriers(ids); !slices.Equal(got, []int{-1, -1, -1}) {
			t.Errorf("before they came: %v", got)
		}
		if _, err := hub.OfferFrom(t.Context(), "1", first, true); err != nil {
			t.Fatal(err)
		}
		if got := hub.Carriers(ids); !slices.Equal(got, []int{0, 0, 0}) {
			t.Errorf("alone: %v", got)
		}
		one, two := w.add(nil), w.add(nil)
		w.meet(hub, one) // fetches
		time.Sleep(20 * time.Second)
		if got := hub.Carriers(ids); !slices.Equal(got, []int{1, 1, 1}) {
			t.Errorf("with one neighbour: %v", got)
		}
		w.meet(two, one) // has it from one, before it meets the hub
		time.Sleep(20 * time.Second)
		w.meet(hub, two)
		time.Sleep(60 * time.Second)
		if got := hub.Carriers(ids); !slices.Equal(got, []int{2, 2, 2}) {
			t.Errorf("with two, one of which had it already: %v", got)
		}
		alone := letters(t, 1) // told by gossip, and confirmed by a round
		if _, err := hub.OfferFrom(t.Context(), "1", alone, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if got := hub.Carriers(idsOf(t, alone)); !slices.Equal(got, []int{2}) {
			t.Errorf("told by gossip: %v", got)
		}
		if got := one.Carriers(ids); !slices.Equal(got, []int{-1, -1, -1}) {
			t.Errorf("where no guest brought them: %v", got)
		}
	})
}

// TestCarriersForget: the oldest are forgotten, and what is left is counted right.
func TestCarriersForget(t *testing.T) {
	n, _ := guestNode(t)
	in := letters(t, 4200)
	for part := range slices.Chunk(in, 700) {
		if _, err := n.OfferFrom(t.Context(), "1", part, true); err != nil {
			t.Fatal(err)
		}
	}
	known := 0
	for _, by := range n.Carriers(idsOf(t, in)) {
		if by == 0 {
			known++
		}
	}
	if known != 4096 {
		t.Errorf("%d are counted, want 4096", known)
	}
}
