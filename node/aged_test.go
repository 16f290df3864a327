package node_test

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node"
	"longear/protocol"
	fr "longear/protocol/frame"
	"longear/store"
)

// ager starts a node that has a message and passes it on truly, but tells of it an age at which so much of its life is left, until it tells
// the truth.
func (o offered) ager(t *testing.T, w *world, left time.Duration, truth *atomic.Bool) *member {
	t.Helper()
	age := uint64((o.Life() - left).Milliseconds())
	return o.miser(t, w, func(s *stingy, whole []byte) bool {
		if fr.Kind(whole[0]) != fr.Messages || truth.Load() {
			return false
		}
		_, n := binary.Uvarint(whole[1:])
		payload := whole[1+n:]
		_, n = binary.Uvarint(payload)
		out := append([]byte(nil), payload[:n]...)
		for rest := payload[n:]; len(rest) > 0; {
			_, wire, next, err := fr.SplitRecord(rest)
			if err != nil {
				t.Error(err)
				return false
			}
			out, rest = fr.AppendRecord(out, age, wire), next
		}
		if err := s.put(fr.Append(nil, fr.Messages, out)); err != nil {
			t.Log(err) // the link is over
		}
		return true
	})
}

// holder starts an honest node that has it.
func (o offered) holder(t *testing.T, w *world, age time.Duration) *member {
	t.Helper()
	return w.join(nil, func(c *node.Config) {
		if _, err := c.Store.Put(t.Context(), []store.Item{{Message: o.Message, Age: age}}); err != nil {
			t.Fatal(err)
		}
	})
}

// expires is how long a node still keeps it, 0 if it does not.
func (o offered) expires(m *member) time.Duration {
	e, err := m.store.Get(o.ID)
	if err != nil {
		return 0
	}
	return e.Expires
}

// around reports whether a duration is another, but for what was lost on the way.
func around(got, want time.Duration) bool { return (got - want).Abs() < 15*time.Second }

// soon is how long after the death at the latest a node has what others have: until the death is entered, then as long as the others may offer
// in vain what died with it, and a round.
const soon = 40 * time.Minute

// TestAged: who tells of a message that it is about to die does not kill it for those whom it meets first, nor for those who had it of them.
func TestAged(t *testing.T) {
	for _, late := range []bool{false, true} { // the honest one is there all the time, or comes afterwards
		inWorld(t, func(t *testing.T, w *world) {
			victim, behind := w.add(nil), w.add(nil)
			msg := offer(t, victim.key)
			begin := time.Now()
			w.meet(victim, behind)
			w.meet(msg.ager(t, w, 20*time.Second, new(atomic.Bool)), victim)
			time.Sleep(10 * time.Second)
			for i, m := range []*member{victim, behind} {
				if left := msg.expires(m); left == 0 || left > 20*time.Second {
					t.Errorf("victim %d was told that it dies at once, and keeps it for %v", i, left)
				}
			}
			if late {
				time.Sleep(2 * time.Hour)
			}
			honest := msg.holder(t, w, time.Hour)
			w.meet(victim, honest)
			time.Sleep(soon)
			due := msg.expires(honest)
			for i, m := range []*member{victim, behind} {
				// The honest one got it, an hour old, after they did.
				if left, bound := msg.expires(m), msg.Life()-time.Since(begin); left == 0 || !around(left, min(due, bound)) {
					t.Errorf("victim %d keeps it for %v, others for %v", i, left, due)
				}
				if st := m.Status(); st.Store.Returned == 0 || st.Refused != 0 || st.Banned != 0 {
					t.Errorf("victim %d counts %d that came back, %d violations, %d bans", i, st.Store.Returned, st.Refused, st.Banned)
				}
			}
		})
	}
}

// TestAgedInVain: a copy that is hardly younger than the one that died does not bring it back, and is not asked for in each round.
func TestAgedInVain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg := offer(t, victim.key)
		const left = time.Hour
		w.meet(victim, msg.holder(t, w, msg.Life()-left))
		time.Sleep(10 * time.Second)
		if !around(msg.expires(victim), left) {
			t.Fatal(msg.expires(victim))
		}
		hardly := msg.holder(t, w, msg.Life()-left-msg.Life()/256+time.Minute)
		w.meet(victim, hardly)
		time.Sleep(left + soon)
		if msg.expires(victim) != 0 || victim.Status().Store.Returned != 0 {
			t.Error("it came back")
		}
		if n := victim.Status().Verdicts[protocol.IgnoreDead.String()]; n == 0 || n > 4 {
			t.Errorf("it came %d times, and was dead", n)
		}
	})
}

// TestAgedPeer: who offers what is too old to be taken may have been told so, and is asked again once it has a better copy.
func TestAgedPeer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg := offer(t, victim.key)
		var truth atomic.Bool
		w.meet(msg.ager(t, w, 0, &truth), victim)
		time.Sleep(time.Hour)
		if n := victim.Status().Verdicts[protocol.IgnoreExpired.String()]; n == 0 || n > 7 {
			t.Errorf("it was asked for %d times in an hour", n)
		}
		truth.Store(true)
		time.Sleep(11 * time.Minute)
		if msg.expires(victim) == 0 {
			t.Error("a good copy is not asked for")
		}
	})
}

// TestAgedForLonger: who tells small ages brings back what is dead until a lifetime after it came first, and no longer.
func TestAgedForLonger(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg := offer(t, victim.key)
		began := time.Now()
		w.meet(victim, msg.holder(t, w, msg.Life()-time.Hour))
		time.Sleep(2 * time.Hour)
		if msg.expires(victim) != 0 {
			t.Fatal("it lives")
		}
		w.meet(msg.ager(t, w, msg.Life(), new(atomic.Bool)), victim)
		time.Sleep(soon)
		if left, want := msg.expires(victim), msg.Life()-time.Since(began); !around(left, want) {
			t.Errorf("it lives for %v more, a lifetime after it came first is in %v", left, want)
		}
	})
}

// TestAgedElsewhere: what was killed comes back by a file too.
func TestAgedElsewhere(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg := offer(t, victim.key)
		bring := func(age time.Duration) node.Imported {
			done, err := victim.Import(t.Context(), func(yield func(protocol.CarryRecord, error) bool) {
				yield(protocol.CarryRecord{Wire: msg.Wire(), Age: age}, nil)
			})
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		began := time.Now()
		w.meet(msg.holder(t, w, msg.Life()-time.Hour), victim)
		time.Sleep(time.Hour + 25*time.Minute)
		if got := bring(msg.Life() - time.Minute); got.New != 0 || got.Reasons[protocol.IgnoreDead.String()] != 1 {
			t.Errorf("hardly younger: %+v", got)
		}
		if got := bring(time.Hour); got.New != 1 || !around(msg.expires(victim), msg.Life()-time.Since(began)) {
			t.Errorf("%+v, and it lives for %v", got, msg.expires(victim))
		}
	})
}

// TestAgedAndDropped: a node that will not have the author does not fetch what was killed from each peer again.
func TestAgedAndDropped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim, author := w.addMuting(nil, t.TempDir()), w.add(nil)
		msg := offer(t, author.key)
		w.meet(msg.holder(t, w, msg.Life()-time.Hour), victim)
		time.Sleep(2 * time.Hour)
		victim.mute(t, store.Mute{Author: author.author(), Drop: true})
		for range 3 {
			w.meet(victim, msg.holder(t, w, time.Hour))
			time.Sleep(time.Minute)
		}
		if n := victim.Status().Verdicts[protocol.IgnoreMuted.String()]; n != 1 || msg.expires(victim) != 0 {
			t.Errorf("it came %d times", n)
		}
		if err := victim.Unmute(t.Context(), author.author()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if msg.expires(victim) == 0 {
			t.Error("wanted again, it does not come")
		}
	})
}

// TestAgedByGossip: who tells gossip that a message is about to die takes a sixteenth of its life, from those who hear it first and from those who hear it of them.
func TestAgedByGossip(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim, behind := w.add(nil), w.add(nil)
		w.meet(victim, behind)
		msg := offer(t, victim.key)
		h := w.listen()
		defer h.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		topic := mesh(t, ctx, h)
		if err := h.Connect(ctx, peer.AddrInfo{ID: victim.host.ID(), Addrs: victim.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		age := uint64((msg.Life() - time.Second).Milliseconds())
		if err := topic.Publish(ctx, append(binary.AppendUvarint(nil, age), msg.Wire()...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for i, m := range []*member{victim, behind} {
			if left, want := msg.expires(m), msg.Life()*15/16; !around(left, want) {
				t.Errorf("victim %d keeps it for %v, want %v", i, left, want)
			}
			if st := m.Status(); st.Accepted["gossip"] != 1 || st.Banned != 0 {
				t.Errorf("victim %d took %v, and banned %d", i, st.Accepted, st.Banned)
			}
		}
	})
}

// TestOldIsNoGossip: what a guest brings goes by gossip in the first sixteenth of its life, and by sync after that.
func TestOldIsNoGossip(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(15 * time.Second)
		in := letters(t, 2)
		in[0].Age = protocol.DefaultLifetime / 16
		in[1].Age = in[0].Age + time.Millisecond
		for i, want := range []map[string]uint64{{"gossip": 1}, {"gossip": 1, "sync": 1}} {
			if _, err := a.OfferFrom(t.Context(), "1", in[i:i+1], true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if got := b.Status().Accepted; got["gossip"] != want["gossip"] || got["sync"] != want["sync"] {
				t.Errorf("after %d: the neighbour took %v, want %v", i+1, got, want)
			}
		}
	})
}
