package discovery

import (
	"slices"
	"sync"
	"time"
)

// State is what a rung is doing, in words for people.
type State string

// The states of a rung.
const (
	StateOff       State = "off"
	StateWaiting   State = "waiting for a network"
	StateListening State = "listening"
	StateIdle      State = "nothing to ask"
	StateAsking    State = "asking"
	StateRetrying  State = "retrying"
)

// RungStatus is one line of [Ladder.Status]. Counters count since the start.
type RungStatus struct {
	Rung      Rung      `json:"rung"`
	State     State     `json:"state"`
	Err       string    `json:"error,omitempty"`  // last trouble, "" if none since the rung last worked
	Fix       string    `json:"fix,omitempty"`    // what a person can do about it, where that is known
	Detail    string    `json:"detail,omitempty"` // more about the state
	Found     int       `json:"found"`            // peers that had a link and that this rung found
	Heard     time.Time `json:"heard,omitzero"`   // last sighting of any peer but ourselves; zero if none
	Sightings uint64    `json:"sightings"`        // all of them
	Refused   uint64    `json:"refused"`          // addresses that may not be dialled, by policy
	Limited   uint64    `json:"limited"`          // strangers turned away for now, by budget
	Malformed uint64    `json:"malformed"`        // datagrams dropped unread
	Sent      uint64    `json:"sent"`             // datagrams
}

// board collects the status of the rungs.
type board struct {
	mu    sync.Mutex // guards lines
	lines []RungStatus
}

func newBoard(off []Rung) *board {
	b := &board{}
	for _, r := range rungs {
		line := RungStatus{Rung: r, State: StateIdle}
		if slices.Contains(off, r) {
			line.State = StateOff
		}
		b.lines = append(b.lines, line)
	}
	return b
}

// edit applies f to the line of r; sightings under an unknown name are not counted.
func (b *board) edit(r Rung, f func(*RungStatus)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.lines {
		if b.lines[i].Rung == r {
			f(&b.lines[i])
		}
	}
}

func (b *board) status() []RungStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines)
}

func (b *board) off(r Rung) bool {
	off := false
	b.edit(r, func(s *RungStatus) { off = s.State == StateOff })
	return off
}

// set enters a state without trouble. A rung that is off stays off.
func (b *board) set(r Rung, st State) {
	b.edit(r, func(s *RungStatus) {
		if s.State != StateOff {
			s.State, s.Err = st, ""
		}
	})
}

// fail notes trouble; the state stays.
func (b *board) fail(r Rung, text string) {
	b.edit(r, func(s *RungStatus) { s.Err = text })
}

func (b *board) found(r Rung) { b.edit(r, func(s *RungStatus) { s.Found++ }) }

func (b *board) heard(r Rung, now time.Time) {
	b.edit(r, func(s *RungStatus) {
		s.Sightings++
		s.Heard = now
	})
}
