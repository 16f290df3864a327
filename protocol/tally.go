package protocol

import (
	"cmp"
	"slices"
	"strings"
)

// Tally counts what authors answer to one message, by SPEC.md section 17. The zero value is one of a message that is neither petition nor
// poll; NewTally makes one for any. Give it one answer of each author, the latest. What it counts are keys, not people.
type Tally struct {
	// Confirms, Contradicts and Signs are how many authors say so.
	Confirms, Contradicts, Signs int
	// Votes are how many chose each option of a poll; nil for all else. Voters is how many voted.
	Votes  []int
	Voters int
	// Reactions are how many authors react with each text.
	Reactions map[string]int
	// AtLeast says that not all were looked at: there are at least so many.
	AtLeast bool

	kind Kind
	poll *Poll
}

// NewTally counts answers to a message of a kind; p is what it asks if it is a poll, nil if that is malformed or cannot be read.
func NewTally(target Kind, p *Poll) Tally {
	t := Tally{kind: target, poll: p}
	if target == KindPoll && p != nil {
		t.Votes = make([]int, len(p.Options))
	}
	return t
}

// Fits reports whether an answer counts for this target: a vote must choose options that the poll has and no more than it
// allows, and only a petition is signed.
func (t *Tally) Fits(a Answer) bool {
	switch a.Kind {
	case CoSign:
		return t.kind == KindPetition
	case Vote:
		if n := len(a.Options); n == 0 || t.Votes == nil || n > int(t.poll.Most) || int(a.Options[n-1]) >= len(t.Votes) {
			return false
		}
	}
	return true
}

// Count counts the answer of one author. It reports whether it fits.
func (t *Tally) Count(a Answer) bool {
	if !t.Fits(a) {
		return false
	}
	switch a.Kind {
	case Confirm:
		t.Confirms++
	case Contradict:
		t.Contradicts++
	case CoSign:
		t.Signs++
	case Vote:
		t.Voters++
		for _, o := range a.Options {
			t.Votes[o]++
		}
	case React:
		if t.Reactions == nil {
			t.Reactions = make(map[string]int)
		}
		t.Reactions[a.Text]++
	}
	return true
}

// Reaction is a text and how many authors react with it.
type Reaction struct {
	Text  string `json:"text"`
	Count int    `json:"count"`
}

// Frequent are the n most frequent reactions, the most frequent first. A crowd may react with a different text each, so
// nobody should show all.
func (t *Tally) Frequent(n int) []Reaction {
	all := make([]Reaction, 0, len(t.Reactions))
	for text, count := range t.Reactions {
		all = append(all, Reaction{text, count})
	}
	slices.SortFunc(all, func(a, b Reaction) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	})
	return all[:min(n, len(all))]
}
