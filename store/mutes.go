package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"longear/protocol"
)

const mutesFile = "muted.json"

// Bounds of the list of muted authors. Ten thousand take under 1 MB of file, which is what is read of one.
const (
	MaxMutes    = 10_000
	MaxMuteTime = 10 * 365 * 24 * time.Hour
)

// Errors of the list.
var (
	// ErrManyMutes is returned when nobody else can be muted.
	ErrManyMutes = fmt.Errorf("%d authors are muted, and no more can be: take one back first (longear unmute AUTHOR)", MaxMutes)
	// ErrNotMuted is returned for an author who is not in the list.
	ErrNotMuted = errors.New("this author is not muted: longear mute lists who is")
)

// Mute is an author whom the person here does not want to hear: nothing of theirs is shown or counted.
type Mute struct {
	Author protocol.Author
	// Until is when it ends, by this machine's clock, in whole seconds. Zero: it does not.
	Until time.Time
	// Drop says that this node does not carry the author either: the door refuses what they write, and what was kept goes.
	Drop bool
	// Due says that what was kept has still to be looked for and let go. The list keeps it, so that a kill in between changes nothing.
	Due bool
}

func (m *Mute) over(now time.Time) bool { return !m.Until.IsZero() && !now.Before(m.Until) }

// Mutes is the list of muted authors, in a file of its own that never leaves this machine. It is safe for concurrent use by one
// process. A nil list has nobody in it.
type Mutes struct {
	path string
	wall func() time.Time

	saving sync.Mutex // held while the file is written, so that the last list wins
	mu     sync.Mutex
	list   map[protocol.Author]Mute // guarded by mu; at most MaxMutes; replaced, never changed
	gen    uint64                   // guarded by mu; how often it was replaced
	owed   bool                     // guarded by mu; see Owed
}

// savedMutes is the file. Nothing in it says when or why somebody was muted.
type savedMutes struct {
	Version int                  `json:"version"`
	Muted   map[string]savedMute `json:"muted"`
	Owed    bool                 `json:"readmit,omitempty"`
}

type savedMute struct {
	Until int64 `json:"until,omitempty"` // unix seconds
	Drop  bool  `json:"drop,omitempty"`
	Due   bool  `json:"due,omitempty"`
}

const mutesVersion = 1

// lastUntil is the end of the year 9999, after which times do not compare any more.
const lastUntil = 253402300799

// OpenMutes reads the list kept in a folder; it is empty if there is none. wall is the clock by which mutes end, nil is the machine's.
// A damaged file is an error, as with every other file of the person's: to hear everybody again, unasked, could hurt. See [ErrExposed],
// [ErrDamaged].
func OpenMutes(dir string, wall func() time.Time) (*Mutes, error) {
	m := &Mutes{path: filepath.Join(dir, mutesFile), wall: wall}
	if m.wall == nil {
		m.wall = time.Now
	}
	b, err := readPrivate(m.path)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		m.list, m.owed, err = parseMutes(b)
	}
	if err != nil {
		return nil, fmt.Errorf("open the list of muted authors: %s: %w: mend it, or move it away and mute again", m.path, err)
	}
	return m, nil
}

func parseMutes(b []byte) (list map[protocol.Author]Mute, owed bool, err error) {
	var f savedMutes
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, false, ErrDamaged
	}
	if f.Version > mutesVersion {
		return nil, false, errors.New("a later version of longear wrote it")
	}
	if f.Version != mutesVersion || len(f.Muted) > MaxMutes {
		return nil, false, ErrDamaged
	}
	list = make(map[protocol.Author]Mute, len(f.Muted))
	for text, s := range f.Muted {
		a, err := protocol.ParseAuthor(text)
		if err != nil || s.Until < 0 || s.Until > lastUntil {
			return nil, false, ErrDamaged
		}
		m := Mute{Author: a, Drop: s.Drop, Due: s.Due}
		if s.Until > 0 {
			m.Until = time.Unix(s.Until, 0)
		}
		list[a] = m
	}
	return list, f.Owed, nil
}

// Hides reports whether an author is muted.
func (m *Mutes) Hides(a protocol.Author) bool {
	_, muted := m.at(a)
	return muted
}

// Drops reports whether an author is muted and not carried either.
func (m *Mutes) Drops(a protocol.Author) bool {
	mute, muted := m.at(a)
	return muted && mute.Drop
}

func (m *Mutes) at(a protocol.Author) (Mute, bool) {
	list, _ := m.current()
	mute, ok := list[a]
	return mute, ok && (mute.Until.IsZero() || !mute.over(m.wall()))
}

// current is the list, which nobody changes any more, and its generation.
func (m *Mutes) current() (list map[protocol.Author]Mute, gen uint64) {
	if m == nil {
		return nil, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list, m.gen
}

// Empty reports that nobody is muted.
func (m *Mutes) Empty() bool {
	list, _ := m.current()
	return len(list) == 0
}

// Generation changes whenever the list does.
func (m *Mutes) Generation() uint64 {
	_, gen := m.current()
	return gen
}

// List is who is muted now, in the order of their keys.
func (m *Mutes) List() (out []Mute) {
	list, _ := m.current()
	for _, mute := range list {
		if !mute.over(m.wall()) {
			out = append(out, mute)
		}
	}
	slices.SortFunc(out, func(a, b Mute) int { return cmp.Compare(a.Author.String(), b.Author.String()) })
	return out
}

// Set mutes an author, or changes how.
func (m *Mutes) Set(mute Mute) error {
	return m.edit(func(list map[protocol.Author]Mute, owed *bool) error {
		was, muted := list[mute.Author]
		if !muted && len(list) >= MaxMutes {
			return ErrManyMutes
		}
		list[mute.Author] = mute
		*owed = *owed || was.Drop && !mute.Drop
		return nil
	})
}

// Remove takes an author out of the list, or returns [ErrNotMuted].
func (m *Mutes) Remove(a protocol.Author) error {
	return m.edit(func(list map[protocol.Author]Mute, owed *bool) error {
		was, muted := list[a]
		if !muted || was.over(m.wall()) {
			return ErrNotMuted
		}
		delete(list, a)
		*owed = *owed || was.Drop
		return nil
	})
}

// Lapse takes out whose time is over.
func (m *Mutes) Lapse() error {
	now := m.wall()
	return m.edit(func(list map[protocol.Author]Mute, owed *bool) error {
		before := len(list)
		for a, mute := range list {
			if mute.over(now) {
				delete(list, a)
				*owed = *owed || mute.Drop
			}
		}
		if len(list) == before {
			return errUnchanged
		}
		return nil
	})
}

// Swept says that what was kept of these authors has been let go.
func (m *Mutes) Swept(authors []protocol.Author) error {
	return m.edit(func(list map[protocol.Author]Mute, _ *bool) error {
		for _, a := range authors {
			if mute, ok := list[a]; ok && mute.Due {
				mute.Due = false
				list[a] = mute
			}
		}
		return nil
	})
}

// Owed reports that somebody is wanted again who was dropped, and that the store has not forgotten yet what it refused for that: see
// [Store.Readmit]. The list keeps it, so that a kill in between changes nothing.
func (m *Mutes) Owed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.owed
}

// Readmitted says that the store has, by the list of a generation. If the list has changed since, somebody else may be wanted again whose
// messages were refused meanwhile: then it is still owed.
func (m *Mutes) Readmitted(generation uint64) error {
	return m.edit(func(_ map[protocol.Author]Mute, owed *bool) error {
		if m.Generation() != generation {
			return errUnchanged
		}
		*owed = false
		return nil
	})
}

// errUnchanged is returned by a change that is none: nothing is written.
var errUnchanged = errors.New("nothing changed")

// edit changes a copy of the list, writes it, and then believes it.
func (m *Mutes) edit(change func(list map[protocol.Author]Mute, owed *bool) error) error {
	m.saving.Lock()
	defer m.saving.Unlock()
	m.mu.Lock()
	next, owed := maps.Clone(m.list), m.owed
	m.mu.Unlock()
	if next == nil {
		next = make(map[protocol.Author]Mute)
	}
	if err := change(next, &owed); err != nil {
		if errors.Is(err, errUnchanged) {
			return nil
		}
		return err
	}
	f := savedMutes{Version: mutesVersion, Owed: owed, Muted: make(map[string]savedMute, len(next))}
	for a, mute := range next {
		s := savedMute{Drop: mute.Drop, Due: mute.Due}
		if !mute.Until.IsZero() {
			s.Until = mute.Until.Unix()
		}
		f.Muted[a.String()] = s
	}
	b, err := json.Marshal(f)
	if err == nil {
		err = writePrivate(m.path, b)
	}
	if err != nil {
		return fmt.Errorf("save the list of muted authors: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list, m.owed = next, owed
	m.gen++
	return nil
}
