package visit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// FloodPosts writes as many messages as it can, 64 at a time, until ctx ends.
func (v *Visitor) FloodPosts(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		var all []byte
		for i := range 64 {
			_, body, err := v.record(fmt.Sprintf("flood %d %d", n, i))
			if err != nil {
				return
			}
			all = append(all, body...)
		}
		// The same records again and again: a flood spends no more on signatures than it must.
		for range 20 {
			var posted struct{}
			if v.send(ctx, bytes.NewReader(all), &posted) != nil && rest(ctx, 10*time.Millisecond) != nil {
				return
			}
		}
	}
}

// FloodReads asks for pages of messages and the board as fast as they come, until ctx ends.
func (v *Visitor) FloodReads(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		path := "/guest/messages?limit=200"
		if n%3 == 0 {
			path = "/"
		}
		if _, err := v.Get(ctx, path); err != nil && rest(ctx, 5*time.Millisecond) != nil {
			return
		}
	}
}

// HoldStreams opens streams and reads nothing from them, and opens more, until ctx ends.
func (v *Visitor) HoldStreams(ctx context.Context) {
	t := &http.Transport{DialContext: v.connect, DisableKeepAlives: true}
	defer t.CloseIdleConnections()
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for ctx.Err() == nil {
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.hub+"/guest/events", nil)
				if err != nil {
					return
				}
				res, err := t.RoundTrip(r)
				if err != nil {
					_ = rest(ctx, 20*time.Millisecond)
					continue
				}
				if res.StatusCode == http.StatusOK {
					_ = rest(ctx, time.Minute)
				}
				res.Body.Close()
				_ = rest(ctx, 20*time.Millisecond)
			}
		})
	}
	all.Wait()
}

// SlowBodies sends bodies a byte at a time, as many at once as it can, until ctx ends.
func (v *Visitor) SlowBodies(ctx context.Context) {
	t := &http.Transport{DialContext: v.connect, DisableKeepAlives: true}
	defer t.CloseIdleConnections()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for ctx.Err() == nil {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.hub+"/guest/messages", &drip{ctx})
				if err != nil {
					return
				}
				r.ContentLength = 100_000
				r.Header.Set("Content-Type", "application/vnd.longear.records")
				if res, err := t.RoundTrip(r); err == nil {
					res.Body.Close()
				}
				_ = rest(ctx, 20*time.Millisecond)
			}
		})
	}
	all.Wait()
}

// drip is a body that comes a byte at a time.
type drip struct{ ctx context.Context }

// Read gives one byte, after a while.
func (d *drip) Read(p []byte) (int, error) {
	if rest(d.ctx, 500*time.Millisecond) != nil {
		return 0, io.ErrUnexpectedEOF
	}
	p[0] = 1
	return 1, nil
}
