package protocol_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"longear/protocol"
)

// TestAnswersThatCannotBeWritten: a draft that would be read as something else is an error that says so.
func TestAnswersThatCannotBeWritten(t *testing.T) {
	for _, a := range []protocol.Answer{
		{Kind: 6},
		{Kind: protocol.Vote},
		{Kind: protocol.Vote, Options: []uint8{1, 0}},
		{Kind: protocol.Vote, Options: []uint8{16}},
		{Kind: protocol.Vote, Options: []uint8{0}, Text: "x"},
		{Kind: protocol.React},
		{Kind: protocol.React, Text: "a b"},
		{Kind: protocol.React, Text: "x", Options: []uint8{1}},
		{Kind: protocol.Confirm, Text: "x"},
		{Kind: protocol.CoSign, Options: []uint8{0}},
	} {
		if b, err := protocol.AppendAnswer(nil, a); err == nil {
			t.Errorf("%+v is written as %x", a, b)
		}
	}
	for _, p := range []protocol.Poll{
		{Question: "?", Options: []string{"a"}, Most: 1},
		{Question: "?", Options: make([]string, 258), Most: 1},
		{Question: "?", Options: []string{"a", ""}, Most: 1},
		{Question: "?", Options: []string{"a", strings.Repeat("x", 201)}, Most: 1},
		{Question: "?", Options: []string{"a", "\xff"}, Most: 1},
		{Question: "?", Options: []string{"a", "b"}},
		{Question: "?", Options: []string{"a", "b"}, Most: 3},
		{Options: []string{"a", "b"}, Most: 1},
		{Question: "\xff", Options: []string{"a", "b"}, Most: 1},
	} {
		if b, err := protocol.AppendPoll(nil, p); err == nil {
			t.Errorf("%+v is written as %x", p, b)
		}
	}
}

// TestTallyFits: only a petition is signed, and a vote stays within its poll.
func TestTallyFits(t *testing.T) {
	three := &protocol.Poll{Question: "?", Options: []string{"a", "b", "c"}, Most: 2}
	vote := func(o ...uint8) protocol.Answer { return protocol.Answer{Kind: protocol.Vote, Options: o} }
	sign := protocol.Answer{Kind: protocol.CoSign}
	for i, v := range []struct {
		a      protocol.Answer
		target protocol.Kind
		poll   *protocol.Poll
		want   bool
	}{
		{sign, protocol.KindPetition, nil, true},
		{sign, protocol.Post, nil, false},
		{sign, protocol.KindPoll, three, false},
		{vote(0), protocol.KindPoll, three, true},
		{vote(2), protocol.KindPoll, three, true},
		{vote(3), protocol.KindPoll, three, false},
		{vote(0, 2), protocol.KindPoll, three, true},
		{vote(0, 1, 2), protocol.KindPoll, three, false},
		{vote(0), protocol.KindPoll, nil, false}, // a poll that is malformed, or sealed with another key
		{vote(0), protocol.Post, nil, false},
		{vote(), protocol.KindPoll, three, false},
		{protocol.Answer{Kind: protocol.Confirm}, protocol.KindPoll, nil, true},
		{protocol.Answer{Kind: protocol.React, Text: "x"}, protocol.KindPetition, nil, true},
		{protocol.Answer{}, protocol.Post, nil, true},
	} {
		tally := protocol.NewTally(v.target, v.poll)
		got := tally.Count(v.a)
		counted := tally.Confirms+tally.Contradicts+tally.Signs+tally.Voters+len(tally.Reactions) == 1
		if got != v.want || counted != (got && v.a.Kind != protocol.Withdraw) {
			t.Errorf("%d: %+v to %v: %v, %+v", i, v.a, v.target, got, tally)
		}
	}
}

// TestTally adds up each answer in its place.
func TestTally(t *testing.T) {
	tally := protocol.NewTally(protocol.KindPoll, &protocol.Poll{Question: "?", Options: []string{"a", "b", "c"}, Most: 2})
	for _, a := range []protocol.Answer{
		{Kind: protocol.Vote, Options: []uint8{0}},
		{Kind: protocol.Vote, Options: []uint8{0, 2}},
		{Kind: protocol.Vote, Options: []uint8{0, 1, 2}}, // too many: nothing of it counts
		{Kind: protocol.Confirm},
		{Kind: protocol.Contradict},
		{Kind: protocol.Contradict},
		{Kind: protocol.CoSign},
		{Kind: protocol.Withdraw},
		{Kind: protocol.React, Text: "b"},
		{Kind: protocol.React, Text: "a"},
		{Kind: protocol.React, Text: "c"},
		{Kind: protocol.React, Text: "c"},
	} {
		tally.Count(a)
	}
	if got := fmt.Sprint(tally.Votes, tally.Voters, tally.Confirms, tally.Contradicts, tally.Signs); got != "[2 0 1] 2 1 2 0" {
		t.Errorf("counted %s", got)
	}
	if got := fmt.Sprint(tally.Frequent(2), len(tally.Frequent(9))); got != "[{c 2} {a 1}] 3" {
		t.Errorf("reactions %s", got)
	}
}

// TestWhatAnswers: a response has class text and one parent.
func TestWhatAnswers(t *testing.T) {
	a, b := testID("a"), testID("b")
	good := protocol.Draft{Kind: protocol.Response, Parents: []protocol.ID{a}}
	if target, ok := good.Answers(); !ok || target != a {
		t.Errorf("answers %v, %v", target, ok)
	}
	for i, d := range []protocol.Draft{
		{Kind: protocol.Response},
		{Kind: protocol.Response, Parents: []protocol.ID{a, b}},
		{Kind: protocol.Response, Class: protocol.Alert, Parents: []protocol.ID{a}},
		{Kind: protocol.Post, Parents: []protocol.ID{a}},
	} {
		if target, ok := d.Answers(); ok {
			t.Errorf("%d answers %v", i, target)
		}
	}
}

// TestSpecTellsTheLimitsOfResponses: the numbers of section 17 are those of the program.
func TestSpecTellsTheLimitsOfResponses(t *testing.T) {
	s := specSection(t, "17 Responses, petitions and polls")
	for _, want := range []string{
		fmt.Sprintf("| 1 to %d bytes, each the index of an option (0 is the first, at most %d)", protocol.MaxOptions, protocol.MaxOptions-1),
		fmt.Sprintf("| 1 to %d bytes of UTF-8 without", protocol.MaxReaction),
		fmt.Sprintf("n is %d to %d;", protocol.MinOptions, protocol.MaxOptions),
		fmt.Sprintf("An option has 1 to %d bytes", protocol.MaxOption),
	} {
		if !strings.Contains(s, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	for k := range protocol.React + 1 {
		if want := fmt.Sprintf("| %d | %v |", k, k); !strings.Contains(s, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
}

// FuzzAnswer: a body that is read is written back as it was.
func FuzzAnswer(f *testing.F) {
	v := vectors(f).Responses
	for _, v := range append(v.Valid, v.Malformed...) {
		f.Add([]byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, ok := protocol.ParseAnswer(body)
		if !ok {
			return
		}
		if again, err := protocol.AppendAnswer(nil, a); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x is read as %+v, and written again it is %x, %v", body, a, again, err)
		}
	})
}

// FuzzPoll: a body that is read is written back as it was.
func FuzzPoll(f *testing.F) {
	v := vectors(f).Polls
	for _, v := range append(v.Valid, v.Malformed...) {
		f.Add([]byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, ok := protocol.ParsePoll(body)
		if !ok {
			return
		}
		if again, err := protocol.AppendPoll(nil, p); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x is read as %+v, and written again it is %x, %v", body, p, again, err)
		}
	})
}
