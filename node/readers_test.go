package node_test

import (
	"context"
	"testing"
	"time"

	"longear/node"
	"longear/protocol"
)

// A reader that is slower than the messages loses none and sees none twice.
func TestSlowReader(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.add(nil)
		old := a.post(t, 100)
		time.Sleep(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		seen := make(map[protocol.ID]int)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for e, err := range a.Messages(ctx, node.Query{Channel: water(t), History: 40, Live: true}) {
				if err != nil {
					t.Error(err)
					return
				}
				seen[e.Message.ID]++
				time.Sleep(50 * time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		var msgs []*protocol.Message
		for range 20 {
			msgs = append(msgs, a.post(t, 100)...)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Minute)
		cancel()
		<-done
		if want := len(msgs) + 40; len(seen) != want {
			t.Errorf("the reader saw %d messages, want %d of %d", len(seen), want, len(msgs)+len(old))
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%v came %d times", id.Short(), n)
			}
		}
	})
}

// History comes oldest first, and breaking out leaves nothing behind (the bubble would say so).
func TestHistory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.add(nil)
		var want []protocol.ID
		for range 10 {
			want = append(want, a.post(t, 1)[0].ID)
			time.Sleep(time.Second)
		}
		for _, test := range []struct {
			name    string
			q       node.Query
			want    []protocol.ID
			channel bool
		}{
			{"all of every channel", node.Query{History: -1}, want, false},
			{"the newest three", node.Query{History: 3}, want[7:], false},
			{"none", node.Query{}, nil, false},
			{"a channel", node.Query{Channel: water(t), History: 4}, want[6:], true},
			{"another channel", node.Query{Channel: protocol.Channel{1}, History: 4}, nil, true},
		} {
			var got []protocol.ID
			for e, err := range a.Messages(t.Context(), test.q) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Message.ID)
			}
			if len(got) != len(test.want) {
				t.Errorf("%s: %d messages, want %d", test.name, len(got), len(test.want))
				continue
			}
			for i := range got {
				if got[i] != test.want[i] {
					t.Errorf("%s: message %d is %v, want %v", test.name, i, got[i].Short(), test.want[i].Short())
				}
			}
		}
		for range a.Messages(t.Context(), node.Query{History: -1, Live: true}) {
			break
		}
	})
}
