package report

import (
	"encoding/json"
	"io"
)

// JSON writes the report, indented, with the names of the struct tags. Lists without anything in them are [] and not null, and
// a figure that is not a finite number is 0: JSON has no other word for it.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r.finite())
}

// finite is a copy of the report that JSON can hold.
func (r *Report) finite() *Report {
	c := *r
	c.Failed, c.Curve, c.Histogram, c.Hops, c.Traffic = filled(c.Failed), filled(c.Curve), filled(c.Histogram), filled(c.Hops), filled(c.Traffic)
	if c.Refused == nil {
		c.Refused = map[string]uint64{}
	}
	figures := []*float64{&c.Copies, &c.Payload, &c.Bytes.Gossip, &c.Bytes.Sync, &c.Bytes.Discovery, &c.Bytes.Repeated}
	c.Curve = append([]CurvePoint{}, c.Curve...)
	for i := range c.Curve {
		figures = append(figures, &c.Curve[i].Share, &c.Curve[i].Oracle)
	}
	groups, more := c.Groups.finite()
	c.Groups, figures = groups, append(figures, more...)
	if c.Replay != nil {
		replay := *c.Replay
		replay.Frames, replay.Messages = filled(replay.Frames), filled(replay.Messages)
		figures = append(figures, &replay.Width, &replay.Height)
		c.Replay = &replay
	}
	for _, f := range figures {
		if !finite(*f) {
			*f = 0
		}
	}
	return &c
}

func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
