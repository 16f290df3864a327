package contact

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSize in bytes bounds the size that a trace gives a message.
const maxSize = 1 << 30

// Create is a message of a trace: when it came to be and between whom it was to go.
type Create struct {
	At       time.Duration
	ID       string
	From, To int
	Size     int // bytes
}

// ReadONE reads a trace of the ONE simulator: contacts as its ConnectivityONEReport writes them, messages as its
// StandardEventsReader takes them, and nothing of the other events of the latter (S, DE, DR, A, R).
//
//	<seconds> CONN <node> <node> up|down
//	<seconds> C <message> <node> <node> <bytes>
//
// Lines need not be in the order of time; those of the same time keep theirs. Further fields are ignored. A link still up
// at the end stays up.
func ReadONE(r io.Reader) (*Trace, []Create, error) {
	var n names
	var events []raw
	var creates []Create
	for l, err := range lines(r) {
		if err != nil {
			return nil, nil, l.wrap(err)
		}
		at, err := parseSeconds(l.fields[0])
		if err != nil {
			return nil, nil, l.wrap(err)
		}
		kind := ""
		if len(l.fields) > 1 {
			kind = l.fields[1]
		}
		switch kind {
		case "CONN":
			var e raw
			if e, err = parseConnection(at, l.fields, &n); err == nil {
				events = append(events, e)
			}
		case "C":
			var c Create
			if c, err = parseCreate(at, l.fields, &n); err == nil {
				creates = append(creates, c)
			}
		case "S", "DE", "DR", "A", "R":
		default:
			err = fmt.Errorf("event %q: expected CONN, C, S, DE, DR, A or R after the time", clip(kind))
		}
		if err != nil {
			return nil, nil, l.wrap(err)
		}
	}
	slices.SortStableFunc(events, func(a, b raw) int { return cmp.Compare(a.at, b.at) })
	slices.SortStableFunc(creates, func(a, b Create) int { return cmp.Compare(a.At, b.At) })
	var first time.Duration
	switch {
	case len(events) > 0 && len(creates) > 0:
		first = min(events[0].at, creates[0].At)
	case len(events) > 0:
		first = events[0].at
	case len(creates) > 0:
		first = creates[0].At
	}
	list, to := n.sorted()
	renumber(events, to)
	t := newTrace(events, first, list)
	for i, c := range creates {
		creates[i].At, creates[i].From, creates[i].To = c.At-first, to[c.From], to[c.To]
	}
	return t, creates, nil
}

func parseConnection(at time.Duration, fields []string, n *names) (raw, error) {
	if len(fields) < 5 || fields[4] != "up" && fields[4] != "down" {
		return raw{}, fmt.Errorf("connection %q: expected two nodes, then up or down, as in 12.5 CONN 3 7 up", clip(strings.Join(fields, " ")))
	}
	a, b, err := n.two(fields[2], fields[3])
	return raw{at, a, b, fields[4] == "up"}, err
}

func parseCreate(at time.Duration, fields []string, n *names) (Create, error) {
	if len(fields) < 6 {
		return Create{}, fmt.Errorf("message %q: expected its name, two nodes and its size, as in 12.5 C M1 3 7 500", clip(strings.Join(fields, " ")))
	}
	size, err := strconv.Atoi(fields[5])
	if err != nil || size < 0 || size > maxSize {
		return Create{}, fmt.Errorf("size %q: expected bytes from 0 to %d", clip(fields[5]), maxSize)
	}
	from, to, err := n.two(fields[3], fields[4])
	return Create{At: at, ID: strings.Clone(fields[2]), From: from, To: to, Size: size}, err
}
