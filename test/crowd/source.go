package crowd

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"longear/protocol"
	"longear/test/crowd/contact"
	"longear/test/crowd/story"
)

// source makes the movement that a line names, or opens its trace.
func (w *World) source(do any) (contact.Source, error) {
	hubs, seed := len(w.members)-w.phones, w.seed
	switch d := do.(type) {
	case story.Stand:
		return contact.NewStand(contact.Stand{Nodes: w.phones, Hubs: hubs, Width: d.Width, Height: d.Height, Range: d.Range, Seed: seed})
	case story.Walk:
		return contact.NewWalk(contact.Walk{
			Nodes: w.phones, Hubs: hubs, Width: d.Width, Height: d.Height, Speed: d.Speed, Range: d.Range, Pause: d.Pause, Seed: seed,
		})
	case story.Streams:
		return contact.NewStreams(contact.Streams{
			Nodes: w.phones, Hubs: hubs, Width: d.Width, Height: d.Height, Apart: d.Apart, Mules: d.Mules,
			Speed: d.Speed, Range: d.Range, Seed: seed,
		})
	case story.Full:
		return contact.NewFull(contact.Full{Nodes: w.phones, Hubs: hubs})
	case story.Ring:
		return contact.NewRing(contact.Ring{Nodes: w.phones, Hubs: hubs, Each: d.Each})
	case story.Trace:
		return w.trace(d)
	}
	return nil, fmt.Errorf("%T is no movement", do)
}

// ErrNoTrace is a trace that is not on this machine: whoever runs the story has to fetch it and say where it is.
var ErrNoTrace = errors.New("the trace is not here")

func (w *World) trace(d story.Trace) (contact.Source, error) {
	env := w.opts.Env
	if env == nil {
		env = func(string) string { return "" }
	}
	path, err := d.Path(w.opts.Dir, env)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTrace, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTrace, err)
	}
	defer f.Close()
	var t *contact.Trace
	if d.Format == "pairs" {
		t, err = contact.ReadPairs(f, d.Every)
	} else {
		var creates []contact.Create
		if t, creates, err = contact.ReadONE(f); err == nil {
			err = w.create(creates)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.File, err)
	}
	if n := t.Nodes(); n > len(w.members) {
		return nil, fmt.Errorf("%s has %d nodes and the story %d: begin it with \"nodes %d\"", d.File, n, len(w.members), n)
	}
	return t, nil
}

// create enters the messages of a trace, each from one node to another, to be sent as direct messages. One that is longer than a
// direct message may be is as long as that.
func (w *World) create(list []contact.Create) error {
	told := len(list)
	for _, step := range w.story.Steps {
		if p, ok := step.Do.(story.Publish); ok {
			told += p.Count
		}
	}
	if most := story.MostPairs / len(w.members); told > most {
		return fmt.Errorf("%d messages: at most %d for %d nodes", told, most, len(w.members))
	}
	for _, c := range list {
		if max(c.From, c.To) >= len(w.members) {
			return fmt.Errorf("message %s goes from %d to %d, and there are %d nodes", c.ID, c.From, c.To, len(w.members))
		}
		text := fmt.Sprintf("message %s of the trace", c.ID)
		w.agenda.add(w.now()+c.At, func() error {
			m := w.members[c.From]
			w.told++
			if !m.running {
				w.unsaid++
				return nil
			}
			if c.Size > protocol.MaxDirectText {
				w.cut++
			}
			size := min(c.Size, protocol.MaxDirectText)
			return w.post(m, draft{text: text + strings.Repeat(".", max(0, size-len(text))), to: c.To})
		})
	}
	return nil
}
