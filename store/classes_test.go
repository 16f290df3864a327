package store_test

import (
	"testing"

	"longear/protocol"
	"longear/store"
)

// What the classes take is what the store counts, before and after some of it is gone.
func TestClasses(t *testing.T) {
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var first protocol.ID
	for class, n := range map[protocol.Class]int{protocol.Text: 5, protocol.Alert: 2, protocol.Media: 3} {
		for i := range n {
			m := sign(t, protocol.Draft{Created: 1_700_000_000_000, Class: class, Body: make([]byte, 10+i), Nonce: uint64(i)})
			if _, err := s.Put(t.Context(), []store.Item{{Message: m}}); err != nil {
				t.Fatal(err)
			}
			if class == protocol.Text {
				first = m.ID
			}
		}
	}
	check := func(alerts, texts, media int64) {
		t.Helper()
		got, err := s.Classes()
		if err != nil {
			t.Fatal(err)
		}
		bytes := int64(0)
		want := []store.ClassCount{{Class: protocol.Alert, Messages: alerts}, {Class: protocol.Text, Messages: texts}, {Class: protocol.Media, Messages: media}}
		for i, c := range got {
			bytes += c.Bytes
			if c.Class != want[i].Class || c.Messages != want[i].Messages || c.Bytes < 200*c.Messages {
				t.Errorf("%d: %+v, want %+v", i, c, want[i])
			}
		}
		if st := s.Stats(); bytes+st.DeadBytes != st.Bytes || len(got) != 3 {
			t.Errorf("the classes take %d and the dead %d, the store counts %d", bytes, st.DeadBytes, st.Bytes)
		}
	}
	check(2, 5, 3)
	if err := s.Remove(t.Context(), []protocol.ID{first}, store.Removed); err != nil {
		t.Fatal(err)
	}
	check(2, 4, 3)
}

// BenchmarkClasses counts a store of 50,000 messages: what the operator's page costs each time it counts.
func BenchmarkClasses(b *testing.B) {
	s := open(b, store.Config{})
	t := template(b, protocol.Text, 400)
	for from := uint64(0); from < 50_000; from += 1000 {
		var items []store.Item
		for i := range uint64(1000) {
			items = append(items, store.Item{Message: forge(b, t, 1_700_000_000_000+from+i, from+i)})
		}
		if _, err := s.Put(b.Context(), items); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := s.Classes(); err != nil {
			b.Fatal(err)
		}
	}
}
