package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"longear/test/crowd"
	"longear/test/crowd/story"
)

// How often progress is looked at, and said again where nothing new is to be said.
const (
	glance = 500 * time.Millisecond
	again  = 30 * time.Second
)

// progress keeps a line up to date until the returned function takes it away. Where nobody can see it change, on what is no
// terminal, it says something as each line of the story begins, and every half minute.
func progress(w io.Writer, watch *crowd.Watch) (wipe func()) {
	f, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	begin := time.Now()
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(glance)
		defer tick.Stop()
		var step *story.Step
		var said time.Duration
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			spent, now := time.Since(begin), watch.Step.Load()
			switch {
			case terminal:
				fmt.Fprintf(w, "\r\x1b[K%s", say(watch, spent))
			case now != step || spent-said >= again:
				fmt.Fprintln(w, say(watch, spent))
				step, said = now, spent
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
		if terminal {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}

// say is the run in a line.
func say(watch *crowd.Watch, spent time.Duration) string {
	now, whole := time.Duration(watch.Now.Load()), time.Duration(watch.Whole.Load())
	text := ""
	if step := watch.Step.Load(); step != nil {
		text = strings.TrimSpace(step.Text)
	}
	share := 0.0
	if whole > 0 {
		share = min(1, now.Seconds()/whole.Seconds())
	}
	left := ""
	if share > 0.02 && share < 1 {
		left = fmt.Sprintf(", about %v left", time.Duration(float64(spent)/share*(1-share)).Round(time.Second))
	}
	return fmt.Sprintf("%3.0f%%  %v of %v  %d messages, %d deliveries%s  %s",
		100*share, now.Round(time.Second), whole.Round(time.Second), watch.Messages.Load(), watch.Deliveries.Load(), left, text)
}
