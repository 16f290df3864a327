package api_test

import (
	"context"
	"slices"
	"testing"

	"longear/node/api"
)

// One answer has all that changes, and the events only when there are new ones.
func TestLive(t *testing.T) {
	p := newPlace(t)
	p.post(api.Post{Channel: "#all", Text: "one", Alert: true})
	first, err := p.client.Live(t.Context(), 0)
	must(t, err)
	if first.Events == nil || len(first.Events) != 0 || first.Status.Messages != 1 || first.Peers == nil || first.Guests != nil {
		t.Errorf("at first: %+v", first)
	}
	if got := first.Status.PerMinute["this node"]; len(got) != 60 || got[59]+got[58] != 1 {
		t.Errorf("per minute: %v", got)
	}
	p.node.GuestCame("1")
	second, err := p.client.Live(t.Context(), first.Seq)
	must(t, err)
	if len(second.Events) != 1 || second.Events[0].What != "guest came" || second.Events[0].Type != "event" || second.Seq != second.Events[0].Seq {
		t.Errorf("after an event: %+v", second.Events)
	}
	third, err := p.client.Live(t.Context(), second.Seq)
	must(t, err)
	if third.Events != nil || third.Seq != second.Seq {
		t.Errorf("without a new one: %+v", third.Events)
	}
	// A page that was open when the node was started anew asks for what is to come.
	if later, err := p.client.Live(t.Context(), 1<<40); err != nil || len(later.Events) != 1 {
		t.Errorf("seen by another run: %+v %v", later.Events, err)
	}
	if all, err := p.client.Events(t.Context()); err != nil || len(all) != 1 || all[0].What != "guest came" {
		t.Errorf("events: %+v %v", all, err)
	}
}

// The room is told by class, and what it costs is bounded: asked again at once, the last count is the answer.
func TestRoom(t *testing.T) {
	p := newPlace(t)
	p.post(api.Post{Channel: "#all", Text: "one", Alert: true})
	p.post(api.Post{Channel: "#all", Text: "two"})
	got, err := p.client.Room(t.Context())
	must(t, err)
	names := []string{}
	sum := got.Dead
	for _, c := range got.Classes {
		names = append(names, c.Class)
		sum += c.Bytes
	}
	if !slices.Equal(names, []string{"alert", "text", "media"}) || got.Classes[0].Messages != 1 || got.Classes[1].Messages != 1 || sum != got.Bytes || got.Quota <= 0 {
		t.Errorf("%+v, of which the parts are %d", got, sum)
	}
	p.post(api.Post{Channel: "#all", Text: "three"})
	again, err := p.client.Room(t.Context())
	must(t, err)
	if again.Classes[1].Messages != 1 || again.Messages != 3 {
		t.Errorf("at once again: %+v", again)
	}
}

// Who asks to stop gets an answer first. Without a node there is nothing to stop, nor a page.
func TestStop(t *testing.T) {
	p := newPlace(t)
	must(t, p.client.Stop(t.Context()))
	<-p.stopped // a moment after the answer
	q := newPlace(t)
	alone, err := api.New(api.Config{Keeper: q.node, Reader: q.node, Store: q.store, Desk: q.desk})
	must(t, err)
	c := served(t, alone)
	if got := codeOf(c.Stop(t.Context())); got != api.NoNode {
		t.Errorf("stop without a node: %d", got)
	}
	_, err = c.Page(t.Context())
	if got := codeOf(err); got != api.NoNode {
		t.Errorf("page without a node: %d", got)
	}
	_, err = c.Live(t.Context(), 0)
	if got := codeOf(err); got != api.NoNode {
		t.Errorf("live without a node: %d", got)
	}
	_, err = c.Events(t.Context())
	if got := codeOf(err); got != api.NoNode {
		t.Errorf("events without a node: %d", got)
	}
}

// served is a client of a server in this process.
func served(t *testing.T, s *api.Server) *api.Client {
	t.Helper()
	c, l := api.Direct()
	run(t, func(ctx context.Context) error { return api.Serve(ctx, l, s.Handler()) })
	t.Cleanup(c.Close)
	return c
}
