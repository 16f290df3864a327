package guest_test

import (
	"strings"
	"testing"
	"time"

	"longear/protocol"
)

// answering is a response with this body.
func answering(target *protocol.Message, body ...byte) func(*protocol.Draft) {
	return func(d *protocol.Draft) {
		d.Kind, d.Parents, d.Body = protocol.Response, []protocol.ID{target.ID}, body
	}
}

// TestBoardCounts: responses are no posts; what they answer says how many keys do so.
func TestBoardCounts(t *testing.T) {
	h, p := newHub(t, nil), newPhone(t, 2)
	author := newPen(t)
	closed := author.write("all", "the north gate is closed", alert)
	plea := author.write("water", "open the gate", func(d *protocol.Draft) { d.Kind = protocol.KindPetition })
	body, err := protocol.AppendPoll(nil, protocol.Poll{Question: "where to?", Options: []string{"north <b>", "south"}, Most: 2})
	if err != nil {
		t.Fatal(err)
	}
	poll := author.write("all", "", func(d *protocol.Draft) { d.Kind, d.Body = protocol.KindPoll, body })
	broken := author.write("all", "", func(d *protocol.Draft) { d.Kind, d.Body = protocol.KindPoll, []byte("not a poll") })
	quiet := author.write("all", "nobody answers", nil)
	h.keep(closed, plea, poll, broken, quiet)
	for i := range 5 {
		pen := newPen(t)
		h.keep(
			pen.write("all", "", answering(closed, byte(1+i/3))),
			pen.write("water", "", answering(plea, 3)),
			pen.write("all", "", answering(plea, 3)), // in another channel than its target
			pen.write("all", "", answering(poll, 4, 0)),
		)
		if i == 4 {
			h.keep(
				pen.write("all", "", func(d *protocol.Draft) { answering(poll, 4, 0, 1)(d); d.Created++ }),
				pen.write("all", "", answering(broken, 4, 0)),
				pen.write("all", "", answering(quiet, 5, 'x')),
			)
		}
	}
	page := p.get(h, "/").text()
	contains(t, page,
		"keys that confirm: 3 · keys that contradict: 2", "keys that signed: 5", "keys that voted: 5", "Petition", "Poll",
		"<bdi>north &lt;b&gt;</bdi>: 5</p>", "<bdi>south</bdi>: 1</p>", "where to?", "Keys are counted, not people")
	if n := strings.Count(page, "<article"); n != 5 {
		t.Errorf("the board shows %d messages, want 5", n)
	}
	if n := strings.Count(page, "keys that"); n != 4 {
		t.Errorf("%d counts, want 4", n)
	}
	contains(t, p.get(h, "/?channel=all").text(), "keys that contradict: 2")
	contains(t, p.get(h, "/guest/channels").text(), `"name":"water","messages":6`) // the petition and its signatures
	contains(t, p.get(h, "/signin").text(), "keys that confirm: 3")
	if other := p.get(h, "/?channel=medic").text(); strings.Contains(other, "Keys are counted") {
		t.Error("a page without counts speaks of counting")
	}
}

// TestBoardBehindResponses: a crowd of answers, all newer than what they answer, does not hide it; and if there are more than a page looks
// at, there is a way to it.
func TestBoardBehindResponses(t *testing.T) {
	h, p, author := newHub(t, nil), newPhone(t, 2), newPen(t)
	closed := author.write("all", "the north gate is closed", nil)
	h.keep(closed)
	crowd := func(from, to int) {
		var all []*protocol.Message
		for i := from; i < to; i++ {
			all = append(all, author.write("all", "", func(d *protocol.Draft) { answering(closed, 1)(d); d.Created += uint64(i) }))
		}
		h.keepFor(t, all...)
	}
	crowd(1, 3000)
	for _, path := range []string{"/", "/?channel=all", "/signin"} {
		contains(t, p.get(h, path).text(), "the north gate is closed", "keys that confirm: 1 ·")
	}
	crowd(3000, 20_100)
	for _, path := range []string{"/", "/?channel=all"} {
		page := p.get(h, path).text()
		if strings.Contains(page, "<article") || strings.Contains(page, "Nothing here yet") {
			t.Fatalf("%s: shows what stands behind 20,000 others", path)
		}
		next := href(page, "after=")
		if next == "" {
			t.Fatalf("%s: there is no way on", path)
		}
		contains(t, p.get(h, next).text(), "the north gate is closed")
	}
	h.slow(20 * time.Millisecond)
	for range 100 { // whoever asks for such pages again and again is told to wait, sooner than by the number of requests
		if p.get(h, "/?channel=all").status == 429 {
			return
		}
	}
	t.Error("nobody is told to wait")
}

// href is the first link of a page that has this in it.
func href(page, part string) string {
	for rest := range strings.SplitSeq(page, `href="`) {
		link, _, _ := strings.Cut(rest, `"`)
		if strings.Contains(link, part) && strings.HasPrefix(link, "/") {
			return strings.ReplaceAll(link, "&amp;", "&")
		}
	}
	return ""
}
