package crowd

import (
	"context"
	"fmt"
	"math"
	"time"

	"longear/protocol"
	"longear/test/crowd/contact"
	"longear/test/crowd/story"
)

// do plays one line. The order is that of the language's own list.
func (w *World) do(step *story.Step) error {
	switch d := step.Do.(type) {
	case story.Nodes:
		return w.people()
	case story.Hubs: // people has made them
		return nil
	case story.Radio:
		for _, m := range w.each(d.Who) {
			w.air.radios[m.number].Store(&Radio{BitsPerSecond: d.BitsPerSecond, Latency: d.Latency, Loss: d.Loss})
		}
		return nil
	case story.Stand, story.Walk, story.Streams, story.Full, story.Ring, story.Trace:
		s, err := w.source(d)
		if err != nil {
			return err
		}
		w.follow(s)
		return nil
	case story.WifiDirect:
		w.group(d)
		return nil
	case story.Split, story.Join, story.Wall:
		w.divide(d)
		return nil
	case story.Late:
		return w.late(w.each(d.Who))
	case story.Publish:
		return w.say(d)
	case story.Advance:
		return w.advance(d.For)
	case story.Expect:
		return w.expect(d)
	}
	if err := w.ready(); err != nil {
		return err
	}
	return w.happen(step.Do)
}

// happen is what befalls nodes that run.
func (w *World) happen(do any) error {
	switch d := do.(type) {
	case story.Crash:
		return w.crash(w.each(d.Who))
	case story.Restart:
		return w.startAll(w.each(d.Who))
	case story.Enter:
		list := w.each(d.Who)
		for _, m := range list {
			m.late = false
		}
		return w.startAll(list)
	case story.Churn:
		w.churnFrom(d.PerMinute)
	case story.Doze:
		for _, m := range w.each(d.Who) {
			w.dozeFrom(m, d)
		}
	case story.Skew:
		for _, m := range w.each(d.Who) {
			by := d.From
			if d.To > d.From {
				by += time.Duration(rng(w.seed, "skew", m.number).Float64() * float64(d.To-d.From))
			}
			m.skew.Store(int64(by))
		}
	case story.Mute:
		w.cast(d.Who, mute)
	case story.Lie:
		if d.Ages {
			w.ledger.distrust()
			w.cast(d.Who, ager)
		} else {
			w.cast(d.Who, liar)
		}
	case story.Flood:
		return w.flooding(d)
	default:
		return fmt.Errorf("nobody knows how to play %T", do)
	}
	return nil
}

func (w *World) cast(who story.Who, r role) {
	for _, m := range w.each(who) {
		if m.is(honest) {
			m.role.Store(uint32(r))
			for _, o := range w.topology.oracles() {
				// A liar gossips like anybody, and who falls silent later may have said something that is still on its way.
				if o != w.topology.limit || r == mute && len(w.ledger.all()) == 0 {
					o.Silent(m.number, w.now(), true)
				}
			}
		}
	}
}

func (w *World) flooding(d story.Flood) error {
	if d.Rate > 0 {
		m := w.members[d.Node]
		if !m.running {
			return fmt.Errorf("n%d is not running and cannot flood", d.Node)
		}
		w.floodFrom(m, d.Rate)
		return nil
	}
	for _, m := range w.members {
		w.floodFrom(m, 0)
	}
	return nil
}

func (w *World) late(list []*member) error {
	for _, m := range list {
		m.late = true
	}
	return w.crash(list)
}

// divide puts up splits and walls and takes them down.
func (w *World) divide(do any) {
	t := &w.topology
	switch d := do.(type) {
	case story.Split:
		clear(t.group)
		for g, members := range d.Groups {
			for _, i := range members {
				t.group[i] = g + 1
			}
		}
	case story.Wall:
		t.walls = append(t.walls, [2]contact.Point{{X: d.X1, Y: d.Y1}, {X: d.X2, Y: d.Y2}})
	case story.Join:
		w.joined = w.cost()
		if d.Single {
			t.single[pair(d.A, d.B)] = true
			break
		}
		clear(t.group)
		clear(t.single)
		t.walls = nil
	}
	w.refreshAll()
}

// churnFrom crashes and restarts phones: each crashes after a time whose mean follows from the rate, and is back within a
// minute.
func (w *World) churnFrom(perMinute float64) {
	w.churn++
	round := w.churn
	if perMinute <= 0 {
		return
	}
	for _, m := range w.members[:w.phones] {
		dice := rng(w.seed, fmt.Sprint("churn", round), m.number)
		var crash, restart func() error
		again := func() { w.agenda.add(w.now()+time.Duration(dice.ExpFloat64()/perMinute*float64(time.Minute)), crash) }
		crash = func() error {
			if w.churn != round || !m.running {
				return nil
			}
			w.agenda.add(w.now()+10*time.Second+time.Duration(dice.Int64N(int64(50*time.Second))), restart)
			return w.crash([]*member{m})
		}
		restart = func() error {
			if w.churn == round {
				again()
			}
			return w.startAll([]*member{m})
		}
		again()
	}
}

// dozeFrom makes a node's radio sleep for a share of each cycle. Cycles differ by a fifth, so that no two phones keep missing each
// other, or keep meeting for a tenth of a second, for ever.
func (w *World) dozeFrom(m *member, d story.Doze) {
	w.doze[m.number]++
	round := w.doze[m.number]
	dice := rng(w.seed, "doze", m.number)
	asleep := time.Duration(float64(d.Cycle) * d.Share)
	var sleep, rise func() error
	turn := func(dozing bool, then func() error, after time.Duration) error {
		if w.doze[m.number] != round {
			return nil
		}
		m.dozing = dozing
		w.refresh(m.number, soon)
		if after > 0 {
			w.agenda.add(w.now()+after*9/10+time.Duration(dice.Int64N(int64(after/5)+1)), then)
		}
		return nil
	}
	sleep = func() error {
		if asleep >= d.Cycle {
			return turn(true, nil, 0)
		}
		return turn(true, rise, asleep)
	}
	rise = func() error { return turn(false, sleep, d.Cycle-asleep) }
	if asleep <= 0 {
		_ = turn(false, nil, 0)
		return
	}
	w.agenda.add(w.now()+time.Duration(dice.Int64N(int64(d.Cycle))), sleep)
}

// say publishes: at once, or in the background over a time.
func (w *World) say(d story.Publish) error {
	if err := w.ready(); err != nil {
		return err
	}
	count := max(d.Count, 1)
	w.told += count
	w.publish++
	dice := rng(w.seed, "publish", w.publish)
	from := w.each(d.From)
	for i := range count {
		text := d.Text
		if text == "" {
			text = fmt.Sprintf("message %d of %s, line %d", i+1, w.story.Name, w.opts.Watch.Step.Load().Line)
		} else if count > 1 {
			text = fmt.Sprintf("%s (%d)", d.Text, i+1)
		}
		size := d.Size
		if d.Text == "" && size == 0 {
			size = 100
		}
		for len(text) < size {
			text += "."
		}
		post := func() error {
			m := speaker(from, dice.Perm(len(from)))
			if m == nil {
				w.unsaid++
				return nil
			}
			return w.post(m, draft{text: text, to: -1, alert: d.Alert, life: d.Life})
		}
		if d.Over == 0 {
			if err := post(); err != nil {
				return err
			}
			continue
		}
		w.agenda.add(w.now()+d.Over*time.Duration(i)/time.Duration(count), post)
	}
	return nil
}

// speaker is the first honest running member in an order.
func speaker(from []*member, order []int) *member {
	for _, i := range order {
		if m := from[i]; m.running && m.is(honest) {
			return m
		}
	}
	return nil
}

// draft is a message to be published.
type draft struct {
	text  string
	to    int // the reader's number, or -1
	alert bool
	life  time.Duration
}

// post signs a message and enters it before it is told to anybody.
func (w *World) post(m *member, d draft) error {
	msg, err := w.sign(w.ctx, m, d)
	if err != nil {
		return fmt.Errorf("n%d publishes: %w", m.number, err)
	}
	if _, v := protocol.Open(msg.Wire()); v != protocol.Accept {
		return fmt.Errorf("n%d publishes what does not verify: %v", m.number, v)
	}
	p := &post{msg: msg, text: d.text, from: m.number, to: d.to, at: w.now(), life: msg.Life()}
	w.ledger.publish(p)
	for _, o := range w.topology.oracles() {
		o.Publish(p.number, p.from, p.at)
		w.agenda.add(p.at+p.life, func() error {
			o.Forget(p.number, w.now())
			return nil
		})
	}
	w.opts.Watch.Messages.Add(1)
	if err := m.node.PostOwn(w.ctx, msg); err != nil {
		return fmt.Errorf("n%d publishes: %w", m.number, err)
	}
	return nil
}

func (w *World) sign(ctx context.Context, m *member, d draft) (*protocol.Message, error) {
	draft := protocol.Draft{
		Created: uint64(max(m.wall().UnixMilli(), 0)), Lifetime: uint32(min(d.life/time.Second, math.MaxUint32)),
		Channel: w.channel, Body: []byte(d.text),
	}
	if d.alert {
		draft.Class = protocol.Alert
	} else {
		draft.Class = protocol.Text
	}
	if d.to < 0 {
		return protocol.Sign(m.key, draft)
	}
	reader := w.members[d.to]
	card, err := protocol.NewCard(reader.key, reader.seal.Public())
	if err != nil {
		return nil, err
	}
	return protocol.SealDirect(ctx, m.key, card, draft, 0)
}
