package supplicant

import (
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"longear/node/discovery/wifidirect"
)

// pingEvery is how often a silent wpa_supplicant is asked whether it is there: nothing says so on a datagram socket.
const pingEvery = 3 * time.Second

// socketSession is a radio held over control sockets.
type socketSession struct {
	radio  *Radio
	main   *control // commands; asked with mu held
	hold   io.Closer
	events chan wifidirect.Event
	lines  chan line     // of all event sockets
	quit   chan struct{} // closed by Close
	parts  sync.WaitGroup

	mu      sync.Mutex // guards the fields below, and main
	wanted  string     // name of the group that was ordered and is not up
	stored  string     // number of its network in wpa_supplicant
	group   string     // network interface of our group; "" if none is up
	owner   bool
	ended   chan struct{}
	leaving bool
	query   string
	until   time.Time
	inside  *control // events of the group
	members int
}

// line is an event and whose socket it came from.
type line struct {
	from *control
	text string // "" when the socket is gone
}

// openSocket opens the radio over control sockets. With an error hold stays open.
func (r *Radio) openSocket(hold io.Closer) (wifidirect.Session, error) {
	path, err := r.p2pSocket()
	if err != nil {
		return nil, err
	}
	s := &socketSession{
		radio: r, hold: hold, events: make(chan wifidirect.Event, 256),
		lines: make(chan line), quit: make(chan struct{}),
	}
	if s.main, err = dialControl(path); err != nil {
		return nil, gone(err)
	}
	if err := s.prepare(); err != nil {
		s.main.close()
		return nil, err
	}
	// Groups are told of on the socket of the interface, the rest on that of its Wi-Fi Direct device, where there is one.
	var ears []*control
	for _, p := range slices.Compact([]string{path, filepath.Join(r.cfg.Sockets, r.cfg.Iface)}) {
		ev, failed := s.listen(p)
		if failed != nil {
			err = failed
			break
		}
		ears = append(ears, ev)
	}
	if err != nil {
		close(s.quit)
		closeAll(ears)
		s.parts.Wait()
		s.main.close()
		return nil, err
	}
	s.parts.Go(func() { s.run(ears) })
	return s, nil
}

func closeAll(ears []*control) {
	for _, e := range ears {
		e.close()
	}
}

// prepare looks at what the radio can, and sets what owners hand out.
func (s *socketSession) prepare() error {
	st, err := s.main.ask("STATUS")
	if err != nil {
		return err
	}
	if fields(st)["p2p_device_address"] == "" {
		return &wifidirect.Trouble{Reason: wifidirect.NoP2P, Text: s.radio.cfg.Iface + " has no Wi-Fi Direct", Fix: "use another adapter, or make a hotspot"}
	}
	if err := s.radio.sweepSockets(s.main); err != nil {
		return err
	}
	return nil
}

// listen reads the events of a socket until it is closed.
func (s *socketSession) listen(path string) (*control, error) {
	c, err := dialControl(path)
	if err != nil {
		return nil, gone(err)
	}
	if err := c.attach(); err != nil {
		c.close()
		return nil, err
	}
	s.parts.Go(func() {
		for {
			text, err := c.next()
			select {
			case s.lines <- line{c, text}:
			case <-s.quit:
				return
			}
			if err != nil {
				return
			}
		}
	})
	return c, nil
}

// Events implements [wifidirect.Session].
func (s *socketSession) Events() <-chan wifidirect.Event { return s.events }

// Close implements [wifidirect.Session].
func (s *socketSession) Close() error {
	close(s.quit)
	s.parts.Wait()
	s.main.close()
	return s.hold.Close()
}

// run turns lines into events until wpa_supplicant is gone or the session is closed.
func (s *socketSession) run(ears []*control) {
	defer close(s.events)
	defer closeAll(ears)
	defer s.outside()
	ask, ping := time.NewTicker(askAgain), time.NewTicker(pingEvery)
	defer ask.Stop()
	defer ping.Stop()
	for {
		select {
		case <-s.quit:
			s.do("P2P_STOP_FIND")
			s.do("P2P_SERVICE_FLUSH")
			s.do("P2P_EXT_LISTEN")
			return
		case <-ask.C:
			if s.radio.present() != nil {
				return // Open says what it is
			}
			s.ask()
		case <-ping.C:
			if s.do("PING") != nil {
				return
			}
		case l := <-s.lines:
			over := l.text == "" || strings.HasPrefix(l.text, "CTRL-EVENT-TERMINATING")
			if over && slices.Contains(ears, l.from) || !s.event(l) {
				return
			}
		}
	}
}

// do asks a command whose answer does not matter.
func (s *socketSession) do(words ...string) error {
	_, err := s.get(words...)
	return err
}

func (s *socketSession) get(words ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.main.ask(words...)
}

func (s *socketSession) tell(e wifidirect.Event) {
	select {
	case s.events <- e:
	default: // the agent does not read; wpa_supplicant must not wait
	}
}

// event understands one line. It reports false when the radio is no longer ours to use.
func (s *socketSession) event(l line) bool {
	kind, rest, _ := strings.Cut(l.text, " ")
	word := strings.Fields(rest)
	switch kind {
	case "P2P-SERV-DISC-RESP":
		if len(word) >= 3 {
			tlvs, err := hex.DecodeString(word[2])
			if r, ok := readRecord(tlvs); ok && err == nil {
				s.tell(wifidirect.Heard{Device: wifidirect.Device(strings.ReplaceAll(word[0], ":", "")), Record: r})
			}
		}
	case "P2P-GROUP-STARTED":
		return len(word) < 2 || s.started(word[0], word[1], fields(rest))
	case "P2P-GROUP-REMOVED":
		if len(word) > 0 {
			s.finished(word[0])
		}
	case "P2P-GROUP-FORMATION-FAILURE":
		if s.unwant() {
			s.tell(wifidirect.Failed{Err: errors.New("the group did not form within the time of wpa_supplicant")})
		}
	default:
		s.groupEvent(l, kind)
	}
	return true
}

// groupEvent is of the socket of our group.
func (s *socketSession) groupEvent(l line, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.from != s.inside || s.inside == nil {
		return
	}
	switch kind {
	case "CTRL-EVENT-CONNECTED":
		s.tell(wifidirect.Link{Up: true})
	case "CTRL-EVENT-DISCONNECTED":
		s.tell(wifidirect.Link{})
	case "AP-STA-CONNECTED":
		s.members++
		s.tell(wifidirect.Members{N: s.members})
	case "AP-STA-DISCONNECTED":
		s.members = max(0, s.members-1)
		s.tell(wifidirect.Members{N: s.members})
	}
}

// started looks whose group came up. See busSession.started.
func (s *socketSession) started(iface, role string, f map[string]string) bool {
	if !groupOf(s.radio.cfg.Iface, iface) {
		return true
	}
	s.mu.Lock()
	mine, busy := s.wanted != "" && f["ssid"] == s.wanted, s.group != ""
	if s.group == iface {
		s.mu.Unlock()
		return true // the event comes on several sockets
	}
	if mine {
		s.wanted, s.group, s.owner, s.leaving, s.ended, s.members = "", iface, role == "GO", false, make(chan struct{}), 0
	}
	s.mu.Unlock()
	switch {
	case mine:
		if c, err := s.listen(filepath.Join(s.radio.cfg.Sockets, iface)); err == nil {
			s.mu.Lock()
			s.inside = c
			s.mu.Unlock()
		}
		ip, _ := netip.ParseAddr(f["ip_addr"])
		s.tell(wifidirect.Started{Group: settle(iface, role == "GO", ip)})
	case wifidirect.OurName(s.radio.cfg.Circle, f["ssid"]):
		s.do("P2P_GROUP_REMOVE", iface)
	default:
		return busy
	}
	return true
}

func (s *socketSession) finished(iface string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.group == "" || iface != s.group {
		return
	}
	s.group = ""
	close(s.ended)
	s.outsideLocked()
	if !s.leaving {
		s.tell(wifidirect.Ended{})
	}
}

// outside closes the group's socket.
func (s *socketSession) outside() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outsideLocked()
}

func (s *socketSession) outsideLocked() {
	if s.inside != nil {
		s.inside.close()
		s.inside = nil
	}
}

func (s *socketSession) unwant() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.wanted != ""
	s.wanted = ""
	return was
}
