package contact

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// ReadPairs reads a list of contacts as SocioPatterns publishes them, whether compressed with gzip or not:
//
//	<seconds> <node> <node>
//
// says that the two were in contact during the interval that ends at that time; every is how long an interval is, 20
// seconds in their data. Intervals of the same two that touch or overlap are one contact. Lines need not be in any order;
// further fields (the classes of the two) are ignored.
func ReadPairs(r io.Reader, every time.Duration) (*Trace, error) {
	if every <= 0 || every > maxSeconds*time.Second {
		return nil, fmt.Errorf("intervals of %v: expected more than 0 and at most %.0f seconds", every, float64(maxSeconds))
	}
	var n names
	var heard []raw // at is the end of an interval
	for l, err := range lines(r) {
		if err != nil {
			return nil, l.wrap(err)
		}
		if len(l.fields) < 3 {
			return nil, l.wrap(fmt.Errorf("%q: expected a time and two nodes, as in 32520 1467 1591", clip(strings.Join(l.fields, " "))))
		}
		at, err := parseSeconds(l.fields[0])
		if err != nil {
			return nil, l.wrap(err)
		}
		a, b, err := n.two(l.fields[1], l.fields[2])
		if err != nil {
			return nil, l.wrap(err)
		}
		heard = append(heard, raw{at: at, a: a, b: b})
	}
	list, to := n.sorted()
	renumber(heard, to)
	events := merge(heard, every)
	var first time.Duration
	if len(events) > 0 {
		first = events[0].at
	}
	return newTrace(events, first, list), nil
}

// merge makes contacts of intervals. At the same time links go down
// before others come up, each in the order of their nodes, so that the order of the lines does not matter.
func merge(heard []raw, every time.Duration) (events []raw) {
	slices.SortFunc(heard, func(x, y raw) int {
		return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.at, y.at))
	})
	for i := 0; i < len(heard); {
		x := heard[i]
		end := x.at
		for i++; i < len(heard) && heard[i].a == x.a && heard[i].b == x.b && heard[i].at-every <= end; i++ {
			end = heard[i].at
		}
		events = append(events, raw{x.at - every, x.a, x.b, true}, raw{end, x.a, x.b, false})
	}
	slices.SortFunc(events, func(x, y raw) int {
		up := 0
		if x.up != y.up {
			up = 1
			if y.up {
				up = -1
			}
		}
		return cmp.Or(cmp.Compare(x.at, y.at), up, cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return events
}
