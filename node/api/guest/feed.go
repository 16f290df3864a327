package guest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"longear/protocol"
	"longear/store"
)

// feed is the ring that all streams are served from. A stream is only a place in it: nothing is buffered for a slow reader, who
// is cut when the ring has gone past them.
type feed struct {
	epoch string // of this server: numbers of another hub at the same address mean nothing here

	mu    sync.Mutex
	ring  []event       // guarded by mu; at most ringEvents of ringBytes together
	first uint64        // guarded by mu; number of ring[0], from 1
	bytes int           // guarded by mu; of the ring's messages
	moved chan struct{} // guarded by mu; closed when something is added
}

// event is one message that arrived.
type event struct {
	number uint64
	m      *protocol.Message
	age    time.Duration // at that time
	at     time.Time
}

// add puts a message into the ring.
func (f *feed) add(e store.Entry, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring = append(f.ring, event{f.first + uint64(len(f.ring)), e.Message, e.Age, now})
	f.bytes += len(e.Message.Wire())
	for len(f.ring) > ringEvents || f.bytes > ringBytes {
		f.bytes -= len(f.ring[0].m.Wire())
		f.ring[0] = event{} // lets go of the message
		f.ring = f.ring[1:]
		f.first++
	}
	close(f.moved)
	f.moved = make(chan struct{})
}

// end is the number of the next message to arrive.
func (f *feed) end() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first + uint64(len(f.ring))
}

// step is how many events a stream takes from the ring at a time.
const step = 32

// from is the next events from a number on, and a channel that is closed when there are more. kept: the ring still has that number.
func (f *feed) from(number uint64) (events []event, more <-chan struct{}, kept bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if number < f.first {
		return nil, nil, false
	}
	if at := number - f.first; at < uint64(len(f.ring)) {
		rest := f.ring[at:]
		events = append(events, rest[:min(len(rest), step)]...)
	}
	return events, f.moved, true
}

// resume is the number after the event that a reader names. Without a name they begin with what comes next. missed: what the
// reader had is of another hub, or too long ago.
func (f *feed) resume(last string) (number uint64, missed bool) {
	end := f.end()
	if last == "" {
		return end, false
	}
	epoch, text, _ := strings.Cut(last, ".")
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || epoch != f.epoch || n >= end {
		return end, true
	}
	if _, _, kept := f.from(n + 1); !kept {
		return end, true
	}
	return n + 1, false
}

// events streams what arrives. An event "missed" tells the reader to sync: the stream does not have what came since their last one.
func (s *Server) events(w http.ResponseWriter, r *http.Request, v *visitor) {
	leave, ok := s.visitors.stream(v)
	if !ok {
		tooMuch(w)
		return
	}
	defer leave()
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	number, missed := s.feed.resume(r.Header.Get("Last-Event-ID"))
	name := "hello"
	if missed {
		name = "missed"
	}
	// The ID lets who is cut before the first message go on from here.
	if say(w, rc, fmt.Sprintf("retry: 3000\nid: %s.%d\nevent: %s\ndata: {}\n\n", s.feed.epoch, number-1, name)) != nil {
		return
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		events, more, kept := s.feed.from(number)
		if !kept {
			return // too slow: they come again and are told what they missed
		}
		for _, e := range events {
			number = e.number + 1
			if s.shows(source(r), e.m) && e.m.Kind != protocol.KindChunk && say(w, rc, s.feed.line(e, s.cfg.Now())) != nil {
				return
			}
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-more:
		case <-beat.C:
			if say(w, rc, ": here\n\n") != nil {
				return
			}
		}
	}
}

// line is an event on the wire.
func (f *feed) line(e event, now time.Time) string {
	record := recordOf(e.m.Wire(), e.age+max(0, now.Sub(e.at)))
	data, err := json.Marshal(struct {
		ID string `json:"id"`
		Record
	}{e.m.ID.String(), record})
	if err != nil {
		return "" // cannot happen: strings and a number
	}
	return fmt.Sprintf("id: %s.%d\nevent: message\ndata: %s\n\n", f.epoch, e.number, data)
}

// say writes part of a stream within the time for it.
func say(w http.ResponseWriter, rc *http.ResponseController, text string) error {
	if err := rc.SetWriteDeadline(time.Now().Add(eventTime)); err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return rc.Flush()
}
