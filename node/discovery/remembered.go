package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

const (
	maxRemembered   = 64
	forgetAfter     = 30 * 24 * time.Hour
	maxRememberFile = 64 << 10
	saveEvery       = time.Minute
	askAtOnce       = 16 // of the endpoints on live segments, at random
)

// Endpoint is a beacon endpoint that led to a link once. Peer IDs are fresh at every start, so addresses are all
// that is worth remembering.
type Endpoint struct {
	Addr netip.AddrPort `json:"addr"`
	Used time.Time      `json:"used"` // when a link was last up, to the day: nobody needs to know better
}

// rememberedFile is the file's format.
type rememberedFile struct {
	Version   int        `json:"version"`
	Endpoints []Endpoint `json:"endpoints"`
}

// memory keeps endpoints across restarts.
type memory struct {
	file string

	mu    sync.Mutex // guards the fields below
	list  []Endpoint // newest use first
	dirty bool
}

// newMemory reads the file. One that is missing or damaged is the same as an empty one: it is only a hint, and the
// next save replaces it. The error is for the status.
func newMemory(file string, now time.Time) (*memory, error) {
	m := &memory{file: file}
	if file == "" {
		return m, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read remembered endpoints: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	m.list, err = DecodeRemembered(f, now)
	return m, err
}

// DecodeRemembered reads the file of remembered endpoints: at most 64 of them, the latest used first, none older than
// 30 days, none from the future and none that could never be asked.
func DecodeRemembered(r io.Reader, now time.Time) ([]Endpoint, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRememberFile+1))
	if err != nil {
		return nil, fmt.Errorf("read remembered endpoints: %w", err)
	}
	if len(data) > maxRememberFile {
		return nil, fmt.Errorf("remembered endpoints: file larger than %d bytes, ignored", maxRememberFile)
	}
	var f rememberedFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("remembered endpoints: %w", err)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("remembered endpoints: version %d, want 1", f.Version)
	}
	return trim(f.Endpoints, now), nil
}

// trim drops what is invalid, old or too much.
func trim(list []Endpoint, now time.Time) []Endpoint {
	list = slices.DeleteFunc(list, func(e Endpoint) bool {
		ip := e.Addr.Addr()
		return !ip.IsValid() || e.Addr.Port() < minPort || len(ip.Zone()) > 32 ||
			!ip.IsPrivate() && !ip.IsLinkLocalUnicast() ||
			now.Sub(e.Used) > forgetAfter || e.Used.Sub(now) > 24*time.Hour
	})
	slices.SortStableFunc(list, func(a, b Endpoint) int { return b.Used.Compare(a.Used) })
	var out []Endpoint
	for _, e := range list {
		if len(out) < maxRemembered && !slices.ContainsFunc(out, func(o Endpoint) bool { return o.Addr == e.Addr }) {
			out = append(out, e)
		}
	}
	return out
}

// learn notes that a link to remote came up.
func (m *memory) learn(remote ma.Multiaddr, now time.Time) {
	ip := remoteIP(remote)
	if m.file == "" || !ip.IsValid() || strings.HasPrefix(ip.Zone(), groupDevice) {
		return // a group's interface has another name next time
	}
	e := Endpoint{Addr: netip.AddrPortFrom(ip, BeaconPort), Used: now.UTC().Truncate(24 * time.Hour)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.list, e) {
		return
	}
	m.list = trim(append([]Endpoint{e}, m.list...), now)
	m.dirty = true
}

// some returns a few endpoints on the segments we are on.
func (m *memory) some(w *Watcher) []netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []netip.AddrPort
	for _, e := range m.list {
		if _, ok := w.onLink(e.Addr.Addr()); ok {
			out = append(out, e.Addr)
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(len(out), askAtOnce)]
}

// run saves now and then, and at the end.
func (m *memory) run(ctx context.Context, fail func(error)) error {
	t := time.NewTicker(saveEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			if err := m.save(); err != nil {
				fail(err)
			}
			return nil
		case <-t.C:
			if err := m.save(); err != nil {
				fail(err)
			}
		}
	}
}

// save writes the file if anything changed: beside it, then over it, so that a reader never sees half.
func (m *memory) save() error {
	m.mu.Lock()
	f := rememberedFile{Version: 1, Endpoints: slices.Clone(m.list)}
	dirty := m.dirty
	m.dirty = false
	m.mu.Unlock()
	if !dirty {
		return nil
	}
	err := writeFile(m.file, f)
	if err != nil {
		m.mu.Lock()
		m.dirty = true
		m.mu.Unlock()
		return fmt.Errorf("save remembered endpoints: %w", err)
	}
	return nil
}

func writeFile(file string, v any) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
