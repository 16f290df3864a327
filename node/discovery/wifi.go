package discovery

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"longear/node/discovery/wifidirect"
)

// The states of the Wi-Fi Direct rung. [RungStatus.Detail] says more, and what to do when it is blocked.
const (
	StateSeeking State = "seeking"
	StateResting State = "resting"
	StateJoining State = "joining a group"
	StateMember  State = "in a group"
	StateHosting State = "hosting a group"
	StateBlocked State = "blocked"
)

var wifiStates = map[wifidirect.State]State{
	wifidirect.Seeking: StateSeeking, wifidirect.Resting: StateResting, wifidirect.Joining: StateJoining,
	wifidirect.Member: StateMember, wifidirect.Hosting: StateHosting, wifidirect.Blocked: StateBlocked,
}

// sightOwnerEvery is how often the owner of our group is seen anew: the first packets on a fresh link get lost, and a sighting
// is what makes a dial due.
const sightOwnerEvery = 4 * time.Second

// wifi is the rung that makes its own network: it runs the agent of Wi-Fi Direct and tells the other rungs.
type wifi struct {
	l     *Ladder
	agent *wifidirect.Agent // nil: not used
	told  wifidirect.Config // whoever else is told of groups
	kick  chan struct{}     // the group changed; one pending kick says all

	mu    sync.Mutex // guards the fields below
	group wifidirect.Group
	up    bool
	owner peer.AddrInfo
	addrs []netip.Addr // ours in the group
}

func newWifi(l *Ladder) (*wifi, error) {
	w := &wifi{l: l, kick: make(chan struct{}, 1)}
	if l.cfg.Wifi == nil || l.off(WifiDirect) {
		return w, nil
	}
	c := *l.cfg.Wifi
	c.Self = l.cfg.Self.String()
	if c.Port == nil {
		c.Port = func() uint16 { return l.cfg.Ports().TCP }
	}
	c.Neighbours = func() (peers []string) {
		for _, p := range l.book.linkedPeers() {
			peers = append(peers, p.String())
		}
		return peers
	}
	w.told = c
	c.Up, c.Down, c.Report, c.Log = w.raise, w.lower, w.report, l.cfg.Log
	var err error
	if w.agent, err = wifidirect.New(c); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	return w, nil
}

// raise: we are in a group. The node listens everywhere already; what is new is an interface, and its owner is a peer.
func (w *wifi) raise(g wifidirect.Group, owner wifidirect.Record) {
	w.mu.Lock()
	w.group, w.up, w.owner, w.addrs = g, true, peer.AddrInfo{}, nil
	if id, err := peer.Decode(owner.Peer); err == nil && g.Hub.Is4() {
		addr := place{IP: g.Hub, Ports: Ports{TCP: owner.Port}}
		w.owner = peer.AddrInfo{ID: id, Addrs: addr.multiaddrs(nil)}
	}
	w.mu.Unlock()
	if w.told.Up != nil {
		w.told.Up(g, owner)
	}
	w.l.Nudge()
	w.poke()
}

// lower: the group is gone, and so are the links in it, which would else be waited for until they time out.
func (w *wifi) lower(g wifidirect.Group) {
	if w.told.Down != nil {
		w.told.Down(g)
	}
	w.mu.Lock()
	addrs := w.addrs
	w.up, w.owner, w.addrs = false, peer.AddrInfo{}, nil
	w.mu.Unlock()
	if w.l.cfg.Gone != nil {
		for _, a := range addrs {
			w.l.cfg.Gone(a)
		}
	}
	w.l.Nudge()
	w.poke()
}

func (w *wifi) poke() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

func (w *wifi) report(s wifidirect.Status) {
	w.l.board.edit(WifiDirect, func(st *RungStatus) {
		st.State, st.Detail, st.Err = wifiStates[s.State], s.Detail, ""
		if s.Trouble != nil {
			st.Err, st.Fix = s.Trouble.Text, s.Trouble.Fix
		} else {
			st.Fix = ""
		}
	})
}

// sight sees the owner of our group again and again, and notes which addresses are ours in it.
func (w *wifi) sight(ctx context.Context) error {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.kick:
		case <-t.C:
		}
		owner, up := w.look()
		switch {
		case !up:
			t.Reset(time.Hour)
			continue
		case owner.ID != "":
			w.l.Sight(WifiDirect, owner)
		}
		t.Reset(jitter(sightOwnerEvery))
	}
}

func (w *wifi) look() (peer.AddrInfo, bool) {
	live := w.l.watch.Interfaces()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.up {
		return peer.AddrInfo{}, false
	}
	if k := slices.IndexFunc(live, func(i Interface) bool { return i.Name == w.group.Iface }); k >= 0 {
		w.addrs = w.addrs[:0]
		for _, p := range live[k].Addrs {
			w.addrs = append(w.addrs, p.Addr())
		}
	}
	return w.owner, true
}

// groupDevice is what the name of a group's network interface begins with, and groupName finds such names in a text.
const groupDevice = "p2p-"

var groupName = regexp.MustCompile(`\b` + groupDevice + `[\w.-]+`)

// Unnamed is a text without the names of groups' interfaces. They are new for each group, and in a log they would tell when
// somebody was with others.
func Unnamed(text string) string { return groupName.ReplaceAllString(text, "the group") }

// LocalAddr reads the address of a connection's own end, without a zone; invalid if there is none.
func LocalAddr(m ma.Multiaddr) netip.Addr { return remoteIP(m).WithZone("") }
