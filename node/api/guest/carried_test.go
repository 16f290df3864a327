package guest_test

import (
	"strings"
	"testing"

	"longear/node/api/guest"
	"longear/protocol"
)

// TestCarried: the hub tells of what guests brought, and of nothing else.
func TestCarried(t *testing.T) {
	h := newHub(t, nil)
	p, pen := newPhone(t, 1), newPen(t)
	mine := pen.write("all", "mine", nil)
	if _, err := h.node.OfferFrom(t.Context(), "1", []protocol.CarryRecord{{Wire: mine.Wire()}}, false); err != nil {
		t.Fatal(err)
	}
	other := pen.write("all", "never came", nil)
	var got guest.Carried
	p.get(h, "/guest/carried?id="+other.ID.String()+"&id="+mine.ID.String()).json(t, &got)
	if got.Type != "carried" || len(got.Messages) != 1 || got.Messages[0] != (guest.CarriedMessage{ID: mine.ID.String()}) {
		t.Errorf("%+v", got)
	}
	for _, query := range []string{"", "?id=", "?id=x", "?id=" + strings.Repeat("a", 52) + "a", "?" + strings.Repeat("id="+mine.ID.String()+"&", 65)} {
		if r := p.get(h, "/guest/carried"+query); r.status != 400 {
			t.Errorf("%.40q: %d", query, r.status)
		}
	}
}

// TestNamed: messages by their IDs; what is not here is left out.
func TestNamed(t *testing.T) {
	h := newHub(t, nil)
	p, pen := newPhone(t, 1), newPen(t)
	var query []string
	want := map[protocol.ID]bool{}
	for range 3 {
		m := pen.write("all", "part", nil)
		if _, err := h.node.OfferFrom(t.Context(), "1", []protocol.CarryRecord{{Wire: m.Wire()}}, false); err != nil {
			t.Fatal(err)
		}
		want[m.ID] = true
		query = append(query, "id="+m.ID.String())
	}
	query = append(query, "id="+pen.write("all", "not here", nil).ID.String())
	var got guest.Messages
	p.get(h, "/guest/messages?"+strings.Join(query, "&")).json(t, &got)
	if len(got.Messages) != 3 || got.Next != "" {
		t.Fatalf("%d messages, next %q", len(got.Messages), got.Next)
	}
	for _, m := range got.Messages {
		if !want[open(t, m).ID] {
			t.Errorf("another message came")
		}
	}
	for _, query := range []string{"?id=", "?id=x", "?" + strings.Repeat(query[0]+"&", 17)} {
		if r := p.get(h, "/guest/messages"+query); r.status != 400 {
			t.Errorf("%.40q: %d", query, r.status)
		}
	}
}
