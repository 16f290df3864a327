package guest_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"longear/node"
	"longear/node/api/guest"
	"longear/protocol"
	"longear/store"
)

// TestMutedOnBoard: who is muted is not on the board, in its counts, in what pages read or in what a guest is told at once; and is again when
// they are heard again.
func TestMutedOnBoard(t *testing.T) {
	mutes, err := store.OpenMutes(t.TempDir(), nil)
	must(t, err)
	h := newHub(t, func(c *guest.Config) { c.Mutes = mutes })
	p, loud, calm := newPhone(t, 2), newPen(t), newPen(t)
	post := calm.write("all", "the north gate is closed", nil)
	answer := func(w *pen) *protocol.Message {
		return w.write("all", "\x01", func(d *protocol.Draft) { d.Kind, d.Parents = protocol.Response, []protocol.ID{post.ID} })
	}
	cheap := loud.write("all", "cheap water", alert)
	h.keep(post, cheap, answer(loud), answer(calm))
	paths := []string{"/", "/?channel=all", "/signin", "/guest/messages", "/guest/messages?channel=all", "/guest/messages?id=" + cheap.ID.String()}
	seen := func() (n int) {
		for _, path := range paths {
			text := p.get(h, path).text()
			if strings.Contains(text, "cheap water") || strings.Contains(text, base64.RawURLEncoding.EncodeToString(cheap.Wire())) {
				n++
			}
		}
		return n
	}
	if n := seen(); n != len(paths) {
		t.Fatalf("before, %d of %d pages show it", n, len(paths))
	}
	contains(t, p.get(h, "/").text(), "keys that confirm: 2")
	err = mutes.Set(store.Mute{Author: cheap.Author})
	must(t, err)
	if n := seen(); n != 0 {
		t.Errorf("%d pages show a muted author", n)
	}
	contains(t, p.get(h, "/").text(), "keys that confirm: 1")
	err = mutes.Remove(cheap.Author)
	must(t, err)
	if n := seen(); n != len(paths) {
		t.Errorf("heard again, %d of %d pages show it", n, len(paths))
	}
}

// TestDroppedFromGuest: what a dropped author wrote is refused from a guest with the word for it, and costs the guest nothing.
func TestDroppedFromGuest(t *testing.T) {
	mutes, err := store.OpenMutes(t.TempDir(), nil)
	must(t, err)
	h := newHub(t, func(c *guest.Config) {
		c.Mutes = mutes
		n, err := node.New(node.Config{Store: c.Store, Mutes: mutes})
		must(t, err)
		c.Door, c.Reader, c.Around = n, n, n
	})
	p, loud := newPhone(t, 2), newPen(t)
	m := loud.write("all", "cheap water", nil)
	err = mutes.Set(store.Mute{Author: m.Author, Drop: true})
	must(t, err)
	for range 2 {
		out := p.post(h, m.Wire())
		if len(out.Records) != 1 || out.Records[0].Word != "muted" || out.Records[0].Again {
			t.Errorf("a guest was told %+v", out)
		}
	}
	if st := h.store.Stats(); st.Messages != 0 || st.Tombstones != 1 {
		t.Errorf("%d kept, %d remembered", st.Messages, st.Tombstones)
	}
}
