package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"longear/node/api"
	"longear/protocol"
	"longear/store"
)

func TestSealedChannel(t *testing.T) {
	a, b, c := newPlace(t), newPlace(t), newPlace(t)
	made, err := a.client.Join(t.Context(), api.Join{Name: "crew", New: true})
	must(t, err)
	if made.Key == "" || made.Kind != "private" {
		t.Fatalf("made %+v", made)
	}
	_, err = b.client.Join(t.Context(), api.Join{Name: "mates", Key: made.Key}) // names are each one's own
	must(t, err)
	a.post(api.Post{Channel: "crew", Text: "meet at nine"})
	a.carryTo(b)
	a.carryTo(c)
	if got := b.read("mates"); len(got) != 1 || got[0].Text != "meet at nine" || !got[0].Private || got[0].Channel != "mates" {
		t.Errorf("a member reads %+v", got)
	}
	if got := c.read(""); len(got) != 1 || !got[0].Sealed || got[0].Text != "" || got[0].Private {
		t.Errorf("a stranger reads %+v", got)
	}
}

// TestNoFallbackToPublic: the name of a sealed channel whose key is missing must not post where all can read.
func TestNoFallbackToPublic(t *testing.T) {
	p := newPlace(t)
	_, err := p.client.Post(t.Context(), api.Post{Channel: "crew", Text: "secret"})
	if codeOf(err) != api.NotFound {
		t.Errorf("posting to an unknown sealed channel: %v", err)
	}
	if got := p.read(""); len(got) != 0 {
		t.Errorf("something was posted: %+v", got)
	}
}

// TestPlainTextInSealedChannel: who knows the tag can post there, but not as a member.
func TestPlainTextInSealedChannel(t *testing.T) {
	p := newPlace(t)
	made, err := p.client.Join(t.Context(), api.Join{Name: "crew", New: true})
	must(t, err)
	tag, err := protocol.ParseChannel(made.Tag)
	must(t, err)
	id, err := store.NewIdentity()
	must(t, err)
	m, err := protocol.Sign(id.Author, protocol.Draft{Channel: tag, Body: []byte("I am one of you")})
	must(t, err)
	_, err = p.node.Post(t.Context(), m.Wire())
	must(t, err)
	if got := p.read("crew"); len(got) != 1 || !got[0].Sealed || got[0].Text != "" {
		t.Errorf("shown as %+v", got)
	}
}

func TestDirectMessageAndReceipt(t *testing.T) {
	a, b, c := newPlace(t), newPlace(t), newPlace(t)
	sent := a.post(api.Post{To: b.desk.Card().String(), Text: "only for you"})
	a.carryTo(b)
	a.carryTo(c)
	got := b.read("@")
	if len(got) != 1 || got[0].Text != "only for you" || !got[0].Private || got[0].Author != a.desk.Card().Author().String() {
		t.Fatalf("the reader reads %+v", got)
	}
	if got[0].Card != a.desk.Card().String() {
		t.Errorf("the card to answer to is %q", got[0].Card)
	}
	if got := c.read("@"); len(got) != 1 || !got[0].Sealed || got[0].Text != "" || got[0].Author == a.desk.Card().Author().String() {
		t.Errorf("a stranger reads %+v", got)
	}
	if err := c.client.Receipt(t.Context(), sent.ID); codeOf(err) != api.NotFound {
		t.Errorf("a receipt for somebody else's message: %v", err)
	}
	must(t, b.client.Receipt(t.Context(), sent.ID))
	must(t, b.client.Receipt(t.Context(), sent.ID)) // a second look sends no second receipt
	if n := len(b.read("@")); n != 2 {
		t.Errorf("%d direct messages at the reader, want the letter and one receipt", n)
	}
	b.carryTo(a)
	a.awaitDelivery(sent.ID, "seen")
}

// TestForgedReceipt: only the one a message was for can say that it was read.
func TestForgedReceipt(t *testing.T) {
	a, b := newPlace(t), newPlace(t)
	sent := a.post(api.Post{To: b.desk.Card().String(), Text: "only for you"})
	mallory, err := store.NewIdentity()
	must(t, err)
	id, err := protocol.ParseID(sent.ID)
	must(t, err)
	forged, err := protocol.SealDirect(t.Context(), mallory.Author, a.desk.Card(),
		protocol.Draft{Kind: protocol.Receipt, Parents: []protocol.ID{id}}, 0)
	must(t, err)
	_, err = a.node.Post(t.Context(), forged.Wire())
	must(t, err)
	// A true receipt behind it shows that the forged one has been looked at.
	second := a.post(api.Post{To: b.desk.Card().String(), Text: "another"})
	a.carryTo(b)
	must(t, b.client.Receipt(t.Context(), second.ID))
	b.carryTo(a)
	a.awaitDelivery(second.ID, "seen")
	if r, err := a.client.Life(t.Context(), sent.ID); err != nil || r.Life.State != "kept here" {
		t.Errorf("after a forged receipt: %q, %v", r.Life.State, err)
	}
}

func (p *place) awaitDelivery(id, want string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := p.client.Life(ctx, id)
		if err != nil {
			p.t.Fatalf("waiting for %q: %v", want, err)
		}
		if r.Life.State == want {
			return
		}
		<-tick.C
	}
}

func TestChannels(t *testing.T) {
	p := newPlace(t)
	p.post(api.Post{Channel: "#zebra-crossing", Text: "one"})
	p.post(api.Post{Channel: "#zebra-crossing", Text: "two"})
	list, err := p.client.Channels(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].Name != "#zebra-crossing" || list[0].Messages != 2 || !list[0].Joined || list[0].Newest == "" {
		t.Errorf("channels %+v", list)
	}
	must(t, p.client.Leave(t.Context(), "#zebra-crossing"))
	if list, err = p.client.Channels(t.Context()); err != nil || len(list) != 1 || list[0].Name != "" || list[0].Kind != "unknown" {
		t.Errorf("after leaving: %+v, %v", list, err)
	}
	if err := p.client.Leave(t.Context(), "#zebra-crossing"); codeOf(err) != api.NotFound {
		t.Errorf("leaving twice: %v", err)
	}
	for _, tc := range []struct {
		join api.Join
		want api.Code
	}{
		{api.Join{Name: "weak", Passphrase: "secret", New: true}, api.Usage},                    // would be guessed
		{api.Join{Name: "weak", Passphrase: "secret"}, -1},                                      // made elsewhere: joined as it is
		{api.Join{Name: "weak", Key: strings.Repeat("a", 52)}, api.Usage},                       // the name is taken
		{api.Join{Name: "none"}, api.Usage},                                                     // no key
		{api.Join{Name: "#public", Passphrase: "secret"}, api.Usage},                            // public channels have none
		{api.Join{Name: "both", Key: strings.Repeat("a", 52), Passphrase: "secret"}, api.Usage}, // which one?
		{api.Join{Name: "key", Key: "abc"}, api.Usage},                                          // not a key
	} {
		if _, err := p.client.Join(t.Context(), tc.join); codeOf(err) != tc.want {
			t.Errorf("%+v: %v, want code %d", tc.join, err, tc.want)
		}
	}
}
