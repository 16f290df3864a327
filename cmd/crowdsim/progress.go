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
)

// progress keeps a line up to date until the returned function takes it away. Where nobody can see it change, on what is no
// terminal, it says something at once and every half minute.
func progress(w io.Writer, watch *crowd.Watch) (wipe func()) {
	f, ok := w.(*os.File)
	line := ok && term.IsTerminal(int(f.Fd()))
	every := 30 * time.Second
	if line {
		every = 500 * time.Millisecond
	}
	begin := time.Now()
	if !line {
		fmt.Fprintln(w, say(watch, 0))
	}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			now := say(watch, time.Since(begin))
			if line {
				fmt.Fprintf(w, "\r\x1b[K%s", now)
			} else {
				fmt.Fprintln(w, now)
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
		if line {
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
