package guest_test

import (
	"strings"
	"testing"

	"longear/node/api/guest"
	"longear/protocol"
)

// photo is a manifest and its chunks.
func (p *pen) photo(channel, name, caption string, chunks int, change func(*protocol.Draft)) (manifest *protocol.Message, parts []*protocol.Message) {
	p.t.Helper()
	m := protocol.Manifest{Type: "image/jpeg", Name: name, Caption: caption}
	for i := range chunks {
		part := p.write(channel, strings.Repeat(string(rune('a'+i%26)), 30_000), func(d *protocol.Draft) {
			d.Class, d.Kind = protocol.Media, protocol.KindChunk
			if change != nil {
				change(d)
			}
		})
		parts = append(parts, part)
		m.Chunks, m.Size = append(m.Chunks, part.ID), m.Size+30_000
	}
	body, err := protocol.AppendManifest(nil, &m)
	must(p.t, err)
	return p.write(channel, string(body), func(d *protocol.Draft) { d.Kind = protocol.KindManifest }), parts
}

// TestPhotosOnTheBoard: a photo is its caption, name and size; its parts are nowhere on the board and in no count.
func TestPhotosOnTheBoard(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	photo, parts := pen.photo("water", "gate <4>.jpg", "the <b>queue</b>", 20, nil)
	h.keep(append(parts, photo, pen.write("water", "a text", nil))...)
	for _, path := range []string{"/", "/?channel=water"} {
		text := p.get(h, path).text()
		contains(t, text, "gate &lt;4&gt;.jpg", "600 kB", "the &lt;b&gt;queue&lt;/b&gt;", "a text")
		if n := strings.Count(text, "<article"); n != 2 {
			t.Errorf("%s: %d items", path, n)
		}
	}
	var state guest.State
	p.get(h, "/guest/state").json(t, &state)
	var channels guest.Channels
	p.get(h, "/guest/channels").json(t, &channels)
	if state.Messages != 2 || len(channels.Channels) != 1 || channels.Channels[0].Messages != 2 {
		t.Errorf("%d messages in the state, channels %+v", state.Messages, channels)
	}
	// Damaged or sealed manifests are not shown as anything.
	h.keep(pen.write("water", "no manifest", func(d *protocol.Draft) { d.Kind = protocol.KindManifest }))
	if text := p.get(h, "/").text(); strings.Contains(text, "no manifest") {
		t.Error("a damaged manifest is shown as a text")
	}
}

// TestPhotosInLists: lists have manifests and no parts of photos.
func TestPhotosInLists(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	photo, parts := pen.photo("water", "a.jpg", "", 40, nil)
	odd := pen.write("water", "a part of class text", func(d *protocol.Draft) { d.Kind = protocol.KindChunk })
	h.keep(append(parts, photo, odd, pen.write("water", "a text", nil))...)
	for query, want := range map[string]int{"": 2, "channel=water": 2, "channel=water&limit=1": 2} {
		all, pages := readAll(t, p, h, query)
		if len(all) != want {
			t.Errorf("%q: %d messages on %d pages, want %d", query, len(all), pages, want)
		}
		if want == 2 && query == "" && pages != 1 {
			t.Errorf("%d pages for two messages", pages)
		}
	}
}
