package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"longear/node/api"
	"longear/protocol"
	"longear/store"
)

func (p *place) respond(id string, r api.Respond) api.Message {
	p.t.Helper()
	m, err := p.client.Respond(p.t.Context(), id, r)
	must(p.t, err)
	return m
}

// tally is what a place counts for a message.
func (p *place) tally(id string) api.Tally {
	p.t.Helper()
	r, err := p.client.Life(p.t.Context(), id)
	must(p.t, err)
	if r.Message.Tally == nil {
		return api.Tally{}
	}
	return *r.Message.Tally
}

func northOrSouth(channel string) api.Post {
	return api.Post{Channel: channel, Text: "where to?", Kind: "poll", Poll: &api.Poll{Options: []string{"north", "south", "stay"}, Most: 2}}
}

// TestResponses: what two people answer is counted alike at both, one answer for each.
func TestResponses(t *testing.T) {
	a, b := newPlace(t), newPlace(t)
	alert := a.post(api.Post{Channel: "#all", Text: "the north gate is closed", Alert: true})
	petition := a.post(api.Post{Channel: "#all", Text: "open the gate", Kind: "petition"})
	poll := a.post(northOrSouth("#all"))
	if poll.Kind != "poll" || poll.Text != "where to?" || poll.Poll == nil || fmt.Sprint(*poll.Poll) != "{[north south stay] 2}" || petition.Kind != "petition" || petition.Text != "open the gate" {
		t.Errorf("written as %+v and %+v", poll, petition)
	}
	if alert.Tally != nil || poll.Tally != nil {
		t.Error("counted before anybody answered")
	}
	a.carryTo(b)
	a.respond(alert.ID, api.Respond{Answer: "confirm"})
	b.respond(alert.ID[:6], api.Respond{Answer: "confirm"})
	second := b.respond(alert.ID, api.Respond{Answer: "contradict"})
	a.respond(petition.ID, api.Respond{Answer: "sign"})
	b.respond(petition.ID, api.Respond{Answer: "sign"})
	a.respond(poll.ID, api.Respond{Answer: "vote", Options: []int{0, 2}})
	vote := b.respond(poll.ID, api.Respond{Answer: "vote", Options: []int{2}})
	b.respond(petition.ID, api.Respond{Answer: "react", Text: "👍"}) // in place of the signature
	a.carryTo(b)
	b.carryTo(a)
	for _, p := range []*place{a, b} {
		if got := p.tally(alert.ID); got.Confirms != 1 || got.Contradicts != 1 || got.Mine == nil {
			t.Errorf("the alert: %+v", got)
		}
		got := p.tally(petition.ID)
		if got.Signs != 1 || len(got.Reactions) != 1 || got.Reactions[0] != (protocol.Reaction{Text: "👍", Count: 1}) {
			t.Errorf("the petition: %+v", got)
		}
		if got := p.tally(poll.ID); fmt.Sprint(got.Votes, got.Voters) != "[1 0 2] 2" {
			t.Errorf("the poll: %+v", got)
		}
	}
	if got := b.tally(alert.ID).Mine.Answer; got != "contradict" {
		t.Errorf("b is told that it answered %q", got)
	}
	if w := vote.Answer; vote.Kind != "response" || vote.Text != "" || w == nil || w.Answer != "vote" || w.Of != "where to?" || fmt.Sprint(w.Chosen, w.Options) != "[stay] [2]" || w.Target != poll.ID {
		t.Errorf("a vote is shown as %+v", w)
	}
	if second.Parents[0] != alert.ID || second.Class != "text" || second.Tally == nil || second.Tally.Contradicts != 1 {
		t.Errorf("a response is shown as %+v", second)
	}
	b.respond(alert.ID, api.Respond{Answer: "withdraw"})
	b.carryTo(a)
	if got := a.tally(alert.ID); got.Contradicts != 0 || got.Confirms != 1 {
		t.Errorf("taken back, and counted %+v", got)
	}
	if got := b.tally(alert.ID); got.Mine != nil {
		t.Errorf("taken back, and mine is %+v", got.Mine)
	}
}

// TestResponsesRefused: an answer that nobody would count is refused with the reason.
func TestResponsesRefused(t *testing.T) {
	a := newPlace(t)
	post, poll := a.post(api.Post{Channel: "#all", Text: "x"}), a.post(northOrSouth("#all"))
	letter := a.post(api.Post{To: a.desk.Card().String(), Text: "x"})
	answer := a.respond(post.ID, api.Respond{Answer: "confirm"})
	for _, v := range []struct {
		id   string
		r    api.Respond
		code api.Code
		says string
	}{
		{post.ID, api.Respond{Answer: "sign"}, api.Usage, "only a petition"},
		{poll.ID, api.Respond{Answer: "sign"}, api.Usage, "only a petition"},
		{post.ID, api.Respond{Answer: "vote", Options: []int{0}}, api.Usage, "only a poll"},
		{poll.ID, api.Respond{Answer: "vote", Options: []int{3}}, api.Usage, "no option 4"},
		{poll.ID, api.Respond{Answer: "vote", Options: []int{16}}, api.Usage, "number 17"},
		{poll.ID, api.Respond{Answer: "vote", Options: []int{-1}}, api.Usage, "number 0"},
		{poll.ID, api.Respond{Answer: "vote", Options: []int{0, 1, 2}}, api.Usage, "allows 2"},
		{poll.ID, api.Respond{Answer: "vote", Options: []int{1, 1}}, api.Usage, "all different"},
		{poll.ID, api.Respond{Answer: "vote"}, api.Usage, "1 to 16 options"},
		{post.ID, api.Respond{Answer: "react", Text: "a b"}, api.Usage, "without spaces"},
		{post.ID, api.Respond{Answer: "react"}, api.Usage, "without spaces"},
		{post.ID, api.Respond{Answer: "confirm", Text: "x"}, api.Usage, "nothing beside"},
		{post.ID, api.Respond{Answer: "like"}, api.Usage, `"like"`},
		{answer.ID, api.Respond{Answer: "confirm"}, api.Usage, "an answer itself"},
		{letter.ID, api.Respond{Answer: "confirm"}, api.Usage, "a letter"},
		{strings.Repeat("a", 12), api.Respond{Answer: "confirm"}, api.NotFound, "no message"},
		{strings.Repeat("a", 52), api.Respond{Answer: "confirm"}, api.NotFound, "no message"},
		{"a", api.Respond{Answer: "confirm"}, api.Usage, "at least 4"},
	} {
		_, err := a.client.Respond(t.Context(), v.id, v.r)
		if codeOf(err) != v.code || !strings.Contains(err.Error(), v.says) && !strings.Contains(fixOf(err), v.says) {
			t.Errorf("%+v: %v; want %q", v.r, err, v.says)
		}
	}
	for _, p := range []api.Post{
		{Channel: "#all", Text: "x", Kind: "petition", Alert: true},
		{Channel: "#all", Text: "x", Kind: "poll"},
		{Channel: "#all", Text: "x", Poll: &api.Poll{Options: []string{"a", "b"}, Most: 1}},
		{Channel: "#all", Text: "x", Kind: "poll", Poll: &api.Poll{Options: []string{"a", "b"}, Most: 3}},
		{Channel: "#all", Text: "x", Kind: "poll", Poll: &api.Poll{Options: []string{"a", "b"}, Most: 257}},
		{Channel: "#all", Text: "x", Kind: "poll", Poll: &api.Poll{Options: []string{"a"}, Most: 1}},
		{Channel: "#all", Text: "x", Kind: "response"},
		{To: a.desk.Card().String(), Text: "x", Kind: "petition"},
	} {
		if _, err := a.client.Post(t.Context(), p); codeOf(err) != api.Usage {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func fixOf(err error) string {
	if e, ok := err.(*api.Error); ok {
		return e.Fix
	}
	return ""
}

// TestResponsesSealed: who holds the key of a channel counts what is sealed with it; who does not sees nothing.
func TestResponsesSealed(t *testing.T) {
	a, b, stranger := newPlace(t), newPlace(t), newPlace(t)
	made, err := a.client.Join(t.Context(), api.Join{Name: "crew", New: true})
	must(t, err)
	_, err = b.client.Join(t.Context(), api.Join{Name: "crew", Key: made.Key})
	must(t, err)
	poll := a.post(northOrSouth("crew"))
	if !poll.Private || poll.Poll == nil {
		t.Errorf("a sealed poll is shown as %+v", poll)
	}
	a.carryTo(b)
	a.respond(poll.ID, api.Respond{Answer: "vote", Options: []int{1}})
	vote := b.respond(poll.ID, api.Respond{Answer: "vote", Options: []int{0, 1}})
	if !vote.Private || vote.Answer == nil || fmt.Sprint(vote.Answer.Chosen) != "[north south]" {
		t.Errorf("a sealed vote is shown as %+v", vote)
	}
	b.carryTo(a)
	a.carryTo(stranger)
	if got := a.tally(poll.ID); fmt.Sprint(got.Votes, got.Voters) != "[1 2 0] 2" {
		t.Errorf("counted %+v", got)
	}
	for _, m := range stranger.read("") {
		if !m.Sealed || m.Text != "" || m.Answer != nil || m.Poll != nil || m.Tally != nil {
			t.Errorf("a stranger sees %+v", m)
		}
	}
	if _, err := stranger.client.Respond(t.Context(), poll.ID, api.Respond{Answer: "confirm"}); codeOf(err) != api.Usage {
		t.Errorf("a stranger answers: %v", err)
	}
}

// TestResponsesTravelAsTheirTarget: what is said to a message that must not leave does not leave either, and lives as long.
func TestResponsesTravelAsTheirTarget(t *testing.T) {
	a := newPlace(t)
	near := a.post(api.Post{Channel: "#all", Text: "x", Local: true, Lifetime: 3600})
	if r := a.respond(near.ID, api.Respond{Answer: "confirm"}); !r.Local || r.Expires > 3600 || r.Expires < 3500 {
		t.Errorf("the response: local %v, dies in %d s", r.Local, r.Expires)
	}
	far := a.post(api.Post{Channel: "#all", Text: "x"})
	if r := a.respond(far.ID, api.Respond{Answer: "confirm"}); r.Local {
		t.Error("a response to what may leave stays")
	}
}

// TestResponseAfterTheClockWentBack: the answer that was given last counts, whatever this device's clock says.
func TestResponseAfterTheClockWentBack(t *testing.T) {
	now := time.Now()
	p := newPlaceAt(t, func() time.Time { return now })
	post := p.post(api.Post{Channel: "#all", Text: "x"})
	p.respond(post.ID, api.Respond{Answer: "confirm"})
	now = now.Add(-48 * time.Hour)
	p.respond(post.ID, api.Respond{Answer: "contradict"})
	if got := p.tally(post.ID); got.Confirms != 0 || got.Contradicts != 1 {
		t.Errorf("counted %+v", got)
	}
}

// TestWatchersHearResponses: who follows a channel is told of an answer, what it answers and how many there are now.
func TestWatchersHearResponses(t *testing.T) {
	p := newPlace(t)
	post := p.post(api.Post{Channel: "#all", Text: "x"})
	heard := 0
	for m, err := range p.client.Messages(t.Context(), api.Watch{Channel: "#all", History: 1, Live: true}) {
		must(t, err)
		if heard++; heard == 1 {
			p.respond(post.ID, api.Respond{Answer: "contradict"})
			continue
		}
		if m.Answer == nil || m.Answer.Answer != "contradict" || m.Answer.Of != "x" || m.Tally == nil || m.Tally.Contradicts != 1 {
			t.Errorf("heard %+v", m)
		}
		break
	}
}

// TestDamagedBodies: what is not in the form of its kind is shown as damaged, and not as text.
func TestDamagedBodies(t *testing.T) {
	p := newPlace(t)
	id, err := store.NewIdentity()
	must(t, err)
	channel, err := protocol.PublicChannel("all")
	must(t, err)
	for _, d := range []protocol.Draft{
		{Kind: protocol.Response, Parents: []protocol.ID{{1}}, Body: []byte{9}},
		{Kind: protocol.Response, Parents: []protocol.ID{{1}, {2}}, Body: []byte{1}},
		{Kind: protocol.KindPoll, Body: []byte("?")},
	} {
		d.Channel = channel
		m, err := protocol.Sign(id.Author, d)
		must(t, err)
		_, err = p.store.Put(t.Context(), []store.Item{{Message: m}})
		must(t, err)
		r, err := p.client.Life(t.Context(), m.ID.String())
		must(t, err)
		if got := r.Message; !got.Damaged || got.Sealed || got.Text != "" || got.Answer != nil || got.Poll != nil {
			t.Errorf("%v: %+v", d.Kind, got)
		}
	}
}

// TestWithoutResponses: who wants no responses gets as much history of all else, and hears what else arrives.
func TestWithoutResponses(t *testing.T) {
	p := newPlace(t)
	post := p.post(api.Post{Channel: "#all", Text: "x"})
	for _, answer := range []string{"confirm", "contradict", "confirm"} {
		p.respond(post.ID, api.Respond{Answer: answer})
	}
	for _, channel := range []string{"", "#all"} {
		heard := 0
		for m, err := range p.client.Messages(t.Context(), api.Watch{Channel: channel, History: 1, Live: true, NoResponses: true}) {
			must(t, err)
			if heard++; heard == 1 {
				if m.ID != post.ID {
					t.Errorf("the history is %+v", m)
				}
				p.respond(post.ID, api.Respond{Answer: "contradict"})
				p.post(api.Post{Channel: "#all", Text: "later" + channel}) // another text: written in one millisecond, two equal ones are one message
				continue
			}
			if m.Text != "later"+channel {
				t.Errorf("heard %+v", m)
			}
			post = m
			break
		}
	}
}
