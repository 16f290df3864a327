package node_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// muting opens a list of muted authors in a folder of the test's.
func muting(t *testing.T, dir string) *store.Mutes {
	t.Helper()
	m, err := store.OpenMutes(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// addMuting starts a node with a list of muted authors.
func (w *world) addMuting(st *store.Store, dir string) *member {
	return w.join(st, func(c *node.Config) { c.Mutes = muting(w.t, dir) })
}

func (m *member) author() protocol.Author { return protocol.AuthorOf(m.key) }

func (m *member) mute(t *testing.T, mute store.Mute) {
	t.Helper()
	if err := m.Mute(t.Context(), mute); err != nil {
		t.Fatal(err)
	}
}

// texts is what a reader of history gets.
func (m *member) texts(t *testing.T) (out []string) {
	t.Helper()
	for e, err := range m.Messages(t.Context(), node.Query{History: -1}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(e.Message.Body))
	}
	return out
}

// Who is muted is not in history nor among what arrives, from the moment on, and is carried to the next node all the same.
func TestMutedIsCarried(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		loud, mid, far := w.add(nil), w.addMuting(nil, t.TempDir()), w.add(nil)
		w.meet(loud, mid)
		w.meet(mid, far)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		heard := make(chan string, 64)
		go func() {
			for e := range mid.Messages(ctx, node.Query{History: -1, Live: true}) {
				heard <- string(e.Message.Body)
			}
		}()
		time.Sleep(2 * time.Second)
		before := loud.post(t, 1)
		time.Sleep(2 * time.Second)
		mid.mute(t, store.Mute{Author: loud.author()})
		after := loud.post(t, 5)
		time.Sleep(2 * time.Second)
		if len(heard) != 1 {
			t.Errorf("a reader heard %d messages of an author who was muted after the first", len(heard))
		}
		if got := mid.texts(t); len(got) != 0 {
			t.Errorf("history has %q", got)
		}
		if n := far.lacks(t, slices.Concat(before, after)); n != 0 {
			t.Errorf("%d messages of an author who is muted on the way did not get through", n)
		}
		if err := mid.Unmute(t.Context(), loud.author()); err != nil {
			t.Fatal(err)
		}
		if got := mid.texts(t); len(got) != 6 {
			t.Errorf("unmuted, history has %d of 6", len(got))
		}
	})
}

// A node that dropped an author and one that keeps thousands of their messages come to rest: nothing is fetched twice, nobody gets a strike,
// and a round costs a few bytes. It is so after a restart; and when the author is wanted again everything comes.
func TestDroppedComesToRest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const many = 6000 // more than a link remembers by itself
		loud, keeper, dir := w.add(nil), w.add(nil), t.TempDir()
		msgs := loud.post(t, many)
		w.meet(loud, keeper)
		time.Sleep(30 * time.Second)
		if n := keeper.lacks(t, msgs); n != 0 {
			t.Fatal("the keeper lacks", n)
		}
		picky := w.addMuting(nil, dir)
		picky.mute(t, store.Mute{Author: loud.author(), Drop: true})
		w.meet(keeper, picky)
		fine := keeper.post(t, 10)
		time.Sleep(time.Minute)
		if n := picky.lacks(t, fine); n != 0 {
			t.Errorf("%d of another author's did not come", n)
		}
		st := picky.Status()
		muted, fetched := st.Verdicts[protocol.IgnoreMuted.String()], st.Sync.Received
		t.Logf("%d refused, %d tombstones, %d bytes received", muted, st.Store.Tombstones, fetched)
		if n := picky.lacks(t, msgs); n != many || st.Store.Tombstones != many {
			t.Errorf("%d of %d are here, %d are remembered", many-n, many, st.Store.Tombstones)
		}
		// A few are fetched twice: a round looks at so many of the dead and no more.
		if muted < many || muted > many*3/2 {
			t.Errorf("%d messages were refused for %d", muted, many)
		}
		if st.Refused != 0 || st.Banned != 0 || picky.Peers() == nil {
			t.Errorf("strikes: %d refused, %d banned", st.Refused, st.Banned)
		}
		time.Sleep(5 * time.Minute)
		idle := picky.Status()
		t.Logf("5 minutes more: %d bytes received", idle.Sync.Received-fetched)
		if idle.Verdicts[protocol.IgnoreMuted.String()] != muted || idle.Sync.Received-fetched > 20_000 {
			t.Errorf("no rest: %d more refused, %d bytes in 5 minutes", idle.Verdicts[protocol.IgnoreMuted.String()]-muted, idle.Sync.Received-fetched)
		}
		if err := picky.Unmute(t.Context(), loud.author()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if n := picky.lacks(t, msgs); n != 0 {
			t.Errorf("wanted again, %d of %d do not come", n, many)
		}
	})
}

// What is kept of an author goes when they are dropped, and what was begun before a restart is finished after it.
func TestDropRemoves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		dir, folder := t.TempDir(), t.TempDir()
		st, err := store.Open(store.Config{Dir: folder})
		if err != nil {
			t.Fatal(err)
		}
		loud, other, picky := w.add(nil), w.add(nil), w.addMuting(st, dir)
		w.meet(loud, picky)
		w.meet(other, picky)
		time.Sleep(time.Second)
		theirs, rest := loud.post(t, 100), other.post(t, 3)
		time.Sleep(5 * time.Second)
		if n := picky.lacks(t, theirs); n != 0 {
			t.Fatal("lacks", n)
		}
		picky.stop()
		// The program was killed when the list was written and nothing had gone yet.
		if err := muting(t, dir).Set(store.Mute{Author: loud.author(), Drop: true, Due: true}); err != nil {
			t.Fatal(err)
		}
		if st, err = store.Open(store.Config{Dir: folder}); err != nil {
			t.Fatal(err)
		}
		picky = w.addMuting(st, dir)
		time.Sleep(time.Second)
		if n := picky.lacks(t, theirs); n != len(theirs) || picky.lacks(t, rest) != 0 {
			t.Errorf("%d of %d are gone, and %d of others", n, len(theirs), picky.lacks(t, rest))
		}
		if muting(t, dir).List()[0].Due {
			t.Error("done, and still due")
		}
		w.meet(loud, picky)
		time.Sleep(10 * time.Second)
		if n := picky.lacks(t, theirs); n != len(theirs) || picky.Status().Sync.Took != 0 {
			t.Errorf("a restart lets in %d, and sync took %d", len(theirs)-n, picky.Status().Sync.Took)
		}
	})
}

// A mute with an end ends by itself, and what was refused meanwhile comes.
func TestDropEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		loud, picky := w.add(nil), w.addMuting(nil, t.TempDir())
		w.meet(loud, picky)
		time.Sleep(time.Second)
		picky.mute(t, store.Mute{Author: loud.author(), Drop: true, Until: time.Now().Add(time.Hour)})
		msgs := loud.post(t, 20)
		time.Sleep(50 * time.Minute)
		if n := picky.lacks(t, msgs); n != 20 {
			t.Fatalf("%d came in time of the mute", 20-n)
		}
		time.Sleep(12 * time.Minute)
		if n := picky.lacks(t, msgs); n != 0 {
			t.Errorf("%d did not come after its end", n)
		}
	})
}

// A hostile peer that tells a dropped author's message again and again, signed or not, costs a tombstone each and is not blamed for
// it.
func TestDroppedAgainAndAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		picky := w.addMuting(nil, t.TempDir())
		key := (&hall{}).key(1)
		picky.mute(t, store.Mute{Author: protocol.AuthorOf(key), Drop: true})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := w.listen()
		defer h.Close()
		topic := mesh(t, ctx, h)
		if err := h.Connect(ctx, peer.AddrInfo{ID: picky.host.ID(), Addrs: picky.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		for age := range byte(40) {
			for i := range 5 {
				m, err := protocol.Sign(key, protocol.Draft{Channel: water(t), Body: fmt.Appendf(nil, "cheap water %d", i)})
				if err != nil {
					t.Fatal(err)
				}
				wire := slices.Clone(m.Wire())
				wire[len(wire)-1] ^= byte(i) // but for the first, not signed by the author
				// Another age is another message to gossip.
				if err := topic.Publish(ctx, append([]byte{age}, wire...)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		st := picky.Status()
		t.Log(st.Verdicts, st.Store.Tombstones)
		if n := st.Verdicts[protocol.IgnoreMuted.String()]; n == 0 || st.Refused != 0 || st.Banned != 0 || len(picky.Peers()) != 1 {
			t.Errorf("%d refused for their author, %d for what they are, %d banned, %d peers", n, st.Refused, st.Banned, len(picky.Peers()))
		}
		if st.Store.Tombstones != 5 || st.Messages != 0 {
			t.Errorf("%d tombstones for 5 messages, %d kept", st.Store.Tombstones, st.Messages)
		}
	})
}

// An unmuting that is cut short is finished by the next thing that is done to the list, and by the next start.
func TestUnmuteCutShort(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		loud, dir := w.add(nil), t.TempDir()
		us := w.addMuting(nil, dir)
		us.mute(t, store.Mute{Author: loud.author(), Drop: true})
		msgs := loud.post(t, 20)
		w.meet(loud, us)
		time.Sleep(time.Minute)
		if n := us.lacks(t, msgs); n != 20 {
			t.Fatalf("%d of a dropped author's messages came", 20-n)
		}
		cut, cancel := context.WithCancel(t.Context())
		cancel()
		_ = us.Unmute(cut, loud.author())
		us.mute(t, store.Mute{Author: protocol.Author{1}})
		time.Sleep(time.Minute)
		if n := us.lacks(t, msgs); n != 0 {
			t.Errorf("%d did not come again", n)
		}
	})
}
