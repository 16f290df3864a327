package supplicant

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery/wifidirect"
)

const (
	// askAgain is how often known devices are asked for their record while seeking: wpa_supplicant asks each only once, and a device
	// that sought a moment ago may own a group now.
	askAgain = 3 * time.Second
	// endFor is how long a group may take to end.
	endFor = 4 * time.Second
)

// busSession is a radio held over D-Bus.
type busSession struct {
	bus    *bus
	radio  *Radio
	hold   io.Closer
	events chan wifidirect.Event
	stop   context.CancelFunc
	pump   sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	wanted  string     // name of the group that was ordered and is not up; "" if none
	stored  dbus.ObjectPath
	group   dbus.ObjectPath // interface object of our group; "" if none is up
	ended   chan struct{}   // closed when it is gone
	leaving bool            // its end was ordered
	query   uint64          // the standing question for records; 0 if none
	until   time.Time       // of seeking
}

// openBus opens the radio over D-Bus. With an error hold stays open.
func (r *Radio) openBus(ctx context.Context, hold io.Closer) (wifidirect.Session, error) {
	b, err := r.dialBus(ctx)
	if err != nil {
		return nil, err
	}
	// The pump outlives ctx: the last order is Leave, and what it waits for is a signal.
	pumping, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &busSession{bus: b, radio: r, hold: hold, stop: stop, events: make(chan wifidirect.Event, 256)}
	s.pump.Go(func() { s.run(pumping) })
	return s, nil
}

// Events implements [wifidirect.Session].
func (s *busSession) Events() <-chan wifidirect.Event { return s.events }

// Close implements [wifidirect.Session].
func (s *busSession) Close() error {
	s.stop()
	s.pump.Wait()
	return s.hold.Close()
}

// run turns signals into events until the bus, wpa_supplicant or the radio is gone, or the session is closed.
func (s *busSession) run(ctx context.Context) {
	defer close(s.events)
	defer func() { _ = s.bus.close(context.WithoutCancel(ctx)) }()
	ask := time.NewTicker(askAgain)
	defer ask.Stop()
	for {
		select {
		case <-ctx.Done():
			s.quiet(context.WithoutCancel(ctx))
			return
		case <-ask.C:
			if s.radio.present() != nil {
				return // Open says what it is
			}
			s.ask(ctx)
		case sig, ok := <-s.bus.signals:
			if !ok || s.over(sig) {
				return
			}
			if !s.signal(ctx, sig) {
				return // what Open says now tells why
			}
		}
	}
}

// quiet undoes what seeking and advertising left in wpa_supplicant.
func (s *busSession) quiet(ctx context.Context) {
	for _, method := range []string{".StopFind", ".FlushService"} {
		s.bus.call(ctx, s.bus.radio, p2pName+method)
	}
	s.bus.call(ctx, s.bus.radio, p2pName+".ExtendedListen", dict{})
}

// over reports whether a signal says that the radio is gone.
func (s *busSession) over(sig *dbus.Signal) bool {
	switch {
	case s.bus.deposed(sig):
		return true
	case strings.HasSuffix(sig.Name, ".InterfaceRemoved") && len(sig.Body) > 0:
		return sig.Body[0] == s.bus.radio
	}
	return false
}

// tell passes an event on. An agent that does not read loses it, and the bus must not wait.
func (s *busSession) tell(e wifidirect.Event) {
	select {
	case s.events <- e:
	default:
	}
}

// signal understands one signal. It reports false when the radio is no longer ours to use.
func (s *busSession) signal(ctx context.Context, sig *dbus.Signal) bool {
	d := dictIn(sig.Body)
	name := sig.Name[strings.LastIndexByte(sig.Name, '.')+1:]
	switch name {
	case "ServiceDiscoveryResponse":
		peer, _ := d["peer_object"].Value().(dbus.ObjectPath)
		tlvs, _ := d["tlvs"].Value().([]byte)
		if r, ok := readRecord(tlvs); ok && sig.Path == s.bus.radio {
			s.tell(wifidirect.Heard{Device: deviceAt(peer), Record: r})
		}
	case "GroupStarted":
		return s.started(ctx, d)
	case "GroupFinished":
		path, _ := d["interface_object"].Value().(dbus.ObjectPath)
		s.finished(path)
	case "InterfaceRemoved": // how NetworkManager ends groups: no GroupFinished comes
		if len(sig.Body) > 0 {
			path, _ := sig.Body[0].(dbus.ObjectPath)
			s.finished(path)
		}
	case "GroupFormationFailure":
		if s.unwant() {
			s.tell(wifidirect.Failed{Err: fmt.Errorf("the group did not form within the time of wpa_supplicant")})
		}
	case "PropertiesChanged":
		if state, ok := d["State"].Value().(string); ok && sig.Path == s.current() {
			s.tell(wifidirect.Link{Up: state == "completed"})
		}
	case "StaAuthorized", "StaDeauthorized", "PeerJoined", "PeerDisconnected":
		if g := s.current(); g != "" && strings.HasPrefix(string(sig.Path), string(g)) {
			s.count(ctx, g)
		}
	}
	return true
}

// current is the interface object of our group.
func (s *busSession) current() dbus.ObjectPath {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.group
}

// unwant forgets an order that came to nothing; false if there was none.
func (s *busSession) unwant() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.wanted != ""
	s.wanted = ""
	return was
}

// started looks whose group came up. Ours that nobody waits for any more is ended; another program's is left alone, and the
// radio is its.
func (s *busSession) started(ctx context.Context, d dict) bool {
	path, _ := d["interface_object"].Value().(dbus.ObjectPath)
	role, _ := d["role"].Value().(string)
	name := s.bus.ssid(ctx, path)
	ifname := s.bus.text(ctx, path, ifaceName, "Ifname")
	if !groupOf(s.radio.cfg.Iface, ifname) {
		return true
	}
	s.mu.Lock()
	mine, busy := s.wanted != "" && (name == s.wanted || name == ""), s.group != ""
	if mine {
		s.wanted, s.group, s.leaving, s.ended = "", path, false, make(chan struct{})
	}
	s.mu.Unlock()
	switch {
	case mine:
		given, _ := d["IpAddr"].Value().([]byte)
		ip, _ := netip.AddrFromSlice(given)
		s.tell(wifidirect.Started{Group: settle(ifname, role == "GO", ip)})
	case wifidirect.OurName(s.radio.cfg.Circle, name):
		s.bus.call(ctx, path, p2pName+".Disconnect")
	default:
		return busy
	}
	return true
}

func (s *busSession) finished(path dbus.ObjectPath) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.group == "" || path != s.group {
		return
	}
	s.group = ""
	close(s.ended)
	if !s.leaving {
		s.tell(wifidirect.Ended{})
	}
}

// count tells how many devices an owner has: Stations are all of them, Members those that know Wi-Fi Direct.
func (s *busSession) count(ctx context.Context, group dbus.ObjectPath) {
	stations, ok := s.bus.property(ctx, group, ifaceName, "Stations").([]dbus.ObjectPath)
	if !ok {
		g, _ := s.bus.property(ctx, group, p2pName, "Group").(dbus.ObjectPath)
		stations, _ = s.bus.property(ctx, g, groupName, "Members").([]dbus.ObjectPath)
	}
	s.tell(wifidirect.Members{N: len(stations)})
}

func dictIn(body []any) dict {
	for _, b := range body {
		if d, ok := b.(dict); ok {
			return d
		}
	}
	return nil
}

// deviceAt is the device address that a peer's object path ends in.
func deviceAt(path dbus.ObjectPath) wifidirect.Device {
	return wifidirect.Device(path[strings.LastIndexByte(string(path), '/')+1:])
}
