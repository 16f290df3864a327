package story

import (
	"fmt"
	"time"
)

// MostPairs is how many messages times nodes a run may have, those of its trace as well: each costs some 40 bytes.
const MostPairs = 20_000_000

// Bounds of a story, which may come from anybody.
const (
	maxFile      = 1 << 20 // bytes
	maxLine      = 1 << 10 // bytes
	maxSteps     = 1000    // each may name every node
	maxWrong     = 20      // lines that are told
	maxNodes     = 10_000
	maxPublished = 1_000_000 // all steps together
	minMetres    = 0.1       // who walks less far turns round without end
	maxMetres    = 1e6
	maxSpeed     = 1000 // metres a second
	minRate      = 1. / 3600
	maxRate      = 100_000 // messages a second
	minCycle     = time.Second
	maxSize      = 32 << 10
)

// sequence is what went before a step: it knows which steps make sense next.
type sequence struct {
	size      size
	steps     int
	moves     int             // the line of the step that says how nodes meet, 0 for none
	split     int             // the line of the last split
	named     bool            // nodes were named: their numbers are settled
	begun     bool            // something happened: what is about the whole run comes too late
	had       map[string]bool // verbs; split and wall until a join
	published int
	total     time.Duration
}

// skip goes past a line that could not be read, as if it had been right, so that one mistake is told once.
func (q *sequence) skip(verb string) {
	q.steps++
	q.have(verb)
	switch verb {
	case "nodes":
		q.size.phones = maxNodes
	case "hubs":
		q.size.hubs = maxNodes
	}
}

func (q *sequence) have(verb string) {
	if q.had == nil {
		q.had = map[string]bool{}
	}
	q.had[verb] = true
}

// next takes in a step; it says what is wrong with it there, or nothing.
func (q *sequence) next(line int, verb string, do any) string {
	if q.steps++; q.steps > maxSteps {
		return fmt.Sprintf("expected at most %d steps", maxSteps)
	}
	if _, ok := do.(Nodes); q.steps == 1 && !ok {
		q.size.phones = maxNodes // so that one mistake is told once
		return `expected the phones first, as in "nodes 300"`
	}
	wrong, ok := q.setUp(line, do)
	if !ok {
		q.named = true
		if wrong, ok = q.links(line, do); !ok {
			wrong = q.happens(do)
		}
	}
	if _, ends := do.(Join); !ends {
		q.have(verb)
	}
	return wrong
}

// setUp takes steps about the whole run.
func (q *sequence) setUp(line int, do any) (wrong string, ok bool) {
	switch s := do.(type) {
	case Nodes:
		if q.steps > 1 {
			return "expected nodes once, as the first step", true
		}
		q.size.phones = s.N
	case Hubs:
		switch {
		case q.had["hubs"] || q.named || q.moves > 0:
			return "expected hubs once, right after nodes: before anything moves or names them", true
		case q.size.phones+s.N > maxNodes:
			return fmt.Sprintf("expected at most %d phones and hubs", maxNodes), true
		}
		q.size.hubs = s.N
	case Radio:
		switch {
		case s.Some:
			q.named = true
		case q.had["radio"] || q.begun:
			return "expected radio once, before anything happens; or of some nodes, as in radio 50kbit/s of n3", true
		}
	case Stand, Walk, Streams, Full, Ring, Trace:
		switch {
		case q.moves > 0:
			return fmt.Sprintf("expected only one way to meet: line %d says another", q.moves), true
		case q.begun:
			return "expected how nodes meet before anything happens", true
		}
		q.moves = line
		if t, isTrace := s.(Trace); isTrace && t.Format == "one" {
			q.have("publish") // its messages, if it has any
		}
	case WifiDirect:
		switch {
		case q.had["wifi-direct"] || q.begun:
			return "expected wifi-direct once, before anything happens", true
		case s.Hubs > 0 && q.size.hubs == 0:
			return `expected hubs before: say "hubs 3", or leave the places of hubs out`, true
		}
	case Late:
		q.named = true
		if q.begun {
			return "expected late nodes before anything happens", true
		}
	default:
		return "", false
	}
	return "", true
}

// links takes steps about who reaches whom.
func (q *sequence) links(line int, do any) (wrong string, ok bool) {
	switch s := do.(type) {
	case Split:
		if q.had["split"] {
			return fmt.Sprintf("expected a join first: line %d split already", q.split), true
		}
		q.split = line
	case Wall:
		if !q.had["stand"] && !q.had["walk"] && !q.had["streams"] {
			return "expected stand, walk or streams before: a wall stands between places", true
		}
	case Join:
		if !q.had["split"] && !q.had["wall"] {
			return "expected a split or a wall before, which it could end", true
		}
		if !s.Single {
			delete(q.had, "split")
			delete(q.had, "wall")
		}
	default:
		return "", false
	}
	return "", true
}

// happens takes all other steps.
func (q *sequence) happens(do any) string {
	if wrong := q.without(do); wrong != "" {
		return wrong
	}
	switch s := do.(type) {
	case Doze, Skew, Mute, Lie:
		return "" // from the start, often
	case Publish:
		if q.published += s.Count; q.published > maxPublished {
			return fmt.Sprintf("expected at most %d messages in all", maxPublished)
		}
		if q.published*q.size.nodes() > MostPairs {
			return fmt.Sprintf("expected at most %d messages in all for %d nodes", MostPairs/q.size.nodes(), q.size.nodes())
		}
	case Advance:
		if q.total += s.For; q.total > maxDuration { // no overflow: each is at most maxDuration, and so was the sum
			q.total = maxDuration
			return "expected at most 100y in all"
		}
	}
	q.begun = true
	return ""
}

// without says what should have gone before a step that makes no sense by itself.
func (q *sequence) without(do any) string {
	switch s := do.(type) {
	case Restart:
		if !q.had["crash"] && !q.had["churn"] {
			return "expected crash or churn before: nobody is down"
		}
	case Enter:
		if !q.had["late"] {
			return "expected late before: everybody is there"
		}
	case Churn:
		if s.PerMinute == 0 && !q.had["churn"] {
			return `expected churn before, as in "churn 30%/min"`
		}
	case Flood:
		if s.Rate == 0 && !q.had["flood"] {
			return `expected flood before, as in "flood n13 500/s"`
		}
	case Expect:
		switch s.What {
		case "grouped", "takeovers", "ferries":
			if !q.had["wifi-direct"] {
				return `expected wifi-direct before: there are no groups, so it could not hold`
			}
			return ""
		}
		if !q.had["publish"] {
			return "expected publish before: there is no message to look at, and a flooder's are nobody's loss"
		}
	}
	return ""
}
