package guest_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"longear/protocol"
)

func TestPost(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	good := pen.write("water", "clean water at gate 4", nil)
	forged := slices.Clone(pen.write("water", "forged", nil).Wire())
	forged[len(forged)-1] ^= 1
	late := pen.write("all", "late", func(d *protocol.Draft) { d.Lifetime = 30 }) // the record is a minute old

	got := p.post(h, good.Wire(), good.Wire(), forged, late.Wire(), []byte("noise"))
	for i, want := range []struct{ verdict, word string }{
		{"accept", "kept"},
		{"ignore: known", "known"},
		{"reject: signature", "refused"},
		{"ignore: expired", "expired"},
		{"reject: size", "refused"},
	} {
		if r := got.Records[i]; r.Verdict != want.verdict || r.Word != want.word || r.Say == "" || r.Say == r.Word {
			t.Errorf("record %d: %+v, want %v", i, r, want)
		}
	}
	if got.Records[0].ID != good.ID.String() || got.Records[4].ID != "" {
		t.Errorf("IDs: %+v", got.Records)
	}
	e, err := h.store.Get(good.ID)
	must(t, err)
	if !bytes.Equal(e.Message.Wire(), good.Wire()) || e.Age < time.Minute {
		t.Errorf("kept with an age of %v and %d bytes", e.Age, len(e.Message.Wire()))
	}
	if e.Own {
		t.Error("a guest's message counts as the hub's own")
	}
	res := p.do(h, call{
		method: "POST", path: "/guest/messages?lang=kk", body: records(0, good.Wire()),
		header: http.Header{"Content-Type": {"application/vnd.longear.records"}},
	})
	contains(t, res.text(), "бұрыннан бар")
}

// TestPostRefused: nothing of a body that is wrong is taken in.
func TestPostRefused(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	wire := pen.write("all", "x", nil).Wire()
	one := records(0, wire)
	const records_ = "application/vnd.longear.records"
	for name, tc := range map[string]struct {
		kind string
		body []byte
		more http.Header
		want int
	}{
		"no type":          {"", one, nil, 415},
		"JSON":             {"application/json", one, nil, 415},
		"text":             {"text/plain", one, nil, 415},
		"a form":           {"application/x-www-form-urlencoded", one, nil, 415},
		"a carry file":     {"application/vnd.longear.carry", one, nil, 415},
		"compressed":       {records_, one, http.Header{"Content-Encoding": {"gzip"}}, 415},
		"empty":            {records_, nil, nil, 400},
		"cut short":        {records_, one[:len(one)-1], nil, 400},
		"a length past":    {records_, append([]byte{0xff, 0xff, 0x7f}, one...), nil, 400},
		"endless uvarint":  {records_, bytes.Repeat([]byte{0xff}, 20), nil, 400},
		"65 records":       {records_, bytes.Repeat(one, 65), nil, 400},
		"too large":        {records_, make([]byte, 256<<10+1), nil, 413},
		"foreign origin":   {records_, one, http.Header{"Origin": {"http://evil.example"}}, 403},
		"no origin at all": {records_, one, http.Header{"Origin": {"null"}}, 403},
		"two origins":      {records_, one, http.Header{"Origin": {"http://" + h.addr, "http://evil.example"}}, 403},
		"another site":     {records_, one, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
	} {
		header := http.Header{}
		maps.Copy(header, tc.more)
		if tc.kind != "" {
			header.Set("Content-Type", tc.kind)
		}
		if res := p.do(h, call{method: "POST", path: "/guest/messages", body: tc.body, header: header}); res.status != tc.want {
			t.Errorf("%s: %d %s, want %d", name, res.status, res.body, tc.want)
		}
	}
	if n := h.store.Stats().Messages; n != 0 {
		t.Errorf("%d messages were taken in", n)
	}
}

// TestPostBudget: a guest who floods gets to hear so, for each message; others do not notice; later it goes on.
func TestPostBudget(t *testing.T) {
	h, p, q, pen := newHub(t, nil), newPhone(t, 2), newPhone(t, 3), newPen(t)
	words := map[string]int{}
	for range 4 {
		var wires [][]byte
		for i := range 64 {
			wires = append(wires, pen.write("all", fmt.Sprint(i), nil).Wire())
		}
		for _, r := range p.post(h, wires...).Records {
			words[r.Word]++
			if r.Word == "later" && (!r.Again || r.Verdict != "ignore: budget") {
				t.Errorf("over the budget: %+v", r)
			}
		}
	}
	if words["kept"] != 128 || words["later"] != 128 {
		t.Errorf("256 at once: %v, want 128 kept", words)
	}
	if r := q.post(h, pen.write("all", "I am another", nil).Wire()).Records[0]; r.Word != "kept" {
		t.Errorf("another guest: %+v", r)
	}
	h.advance(time.Minute)
	if r := p.post(h, pen.write("all", "later", nil).Wire()).Records[0]; r.Word != "kept" {
		t.Errorf("a minute later: %+v", r)
	}
}

// TestRequestBudget: requests of any kind have a budget for each guest, and so have bytes.
func TestRequestBudget(t *testing.T) {
	h, p, q := newHub(t, nil), newPhone(t, 2), newPhone(t, 3)
	refused := 0
	for range 200 {
		if res := p.get(h, "/guest/state"); res.status == 429 {
			refused++
			if res.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if refused != 80 {
		t.Errorf("%d of 200 requests refused, want 80", refused)
	}
	if res := q.get(h, "/guest/state"); res.status != 200 {
		t.Errorf("another guest: %d", res.status)
	}
	h.advance(time.Minute)
	wide := http.Header{"Content-Type": {"application/vnd.longear.records"}}
	status := map[int]int{}
	for range 40 {
		res := q.do(h, call{method: "POST", path: "/guest/messages", body: records(0, make([]byte, 250<<10)), header: wide})
		status[res.status]++
	}
	if status[200] != 30 || status[429] != 10 {
		t.Errorf("40 bodies of 250 KiB at once: %v", status)
	}
}

// TestMaxMessage: the largest message fits, in and out.
func TestMaxMessage(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	m := pen.write("all", strings.Repeat("ж", protocol.MaxBody/2), nil)
	if r := p.post(h, m.Wire()).Records[0]; r.Word != "kept" {
		t.Fatalf("%+v", r)
	}
	if got, _ := readAll(t, p, h, ""); len(got) != 1 || got[0].ID != m.ID {
		t.Errorf("%d messages come back", len(got))
	}
}
