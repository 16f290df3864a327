package supplicant

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"longear/node/discovery/wifidirect"
)

// Do implements [wifidirect.Session].
func (s *socketSession) Do(ctx context.Context, o wifidirect.Order) error {
	switch o := o.(type) {
	case wifidirect.Advertise:
		s.do("P2P_SERVICE_FLUSH")
		for _, e := range entries(o.Record) {
			if err := s.do("P2P_SERVICE_ADD", "bonjour", hex.EncodeToString(e.query), hex.EncodeToString(e.response)); err != nil {
				return err
			}
		}
	case wifidirect.Seek:
		s.seekUntil(time.Now().Add(o.For))
		s.ask()
		return s.do("P2P_FIND", fmt.Sprint(max(1, int(o.For/time.Second))), "type=social")
	case wifidirect.Rest:
		s.seekUntil(time.Time{})
		s.do("P2P_STOP_FIND")
		return s.do("P2P_EXT_LISTEN", fmt.Sprint(restListen), fmt.Sprint(restEvery))
	case wifidirect.Host:
		s.radio.handOut(o.Limit)
		freq := s.frequency()
		if freq == "" {
			freq = fmt.Sprint(channels[int(o.Seed%uint32(len(channels)))])
		}
		return s.add(o.Name, o.Passphrase, []string{"mode 3"}, "freq="+freq)
	case wifidirect.Join:
		mac, ok := colons(o.Owner)
		if !ok {
			return fmt.Errorf("%q is no device", o.Owner)
		}
		return s.add(o.Name, o.Passphrase, []string{"mode 0", "bssid " + mac})
	case wifidirect.Leave:
		return s.leave(ctx)
	}
	return nil
}

// frequency is that of the Wi-Fi the radio is in as a station, "" if it is in none.
func (s *socketSession) frequency() string {
	text, err := talk(filepath.Join(s.radio.cfg.Sockets, s.radio.cfg.Iface), "STATUS")
	if st := fields(text); err == nil && st["wpa_state"] == "COMPLETED" {
		return st["freq"]
	}
	return ""
}

func (s *socketSession) seekUntil(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = t
}

// ask puts the question for records anew. See busSession.ask.
func (s *socketSession) ask() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.query != "" {
		_, _ = s.main.ask("P2P_SERV_DISC_CANCEL_REQ", s.query)
		s.query = ""
	}
	if time.Now().Before(s.until) {
		s.query, _ = s.main.ask("P2P_SERV_DISC_REQ", "00:00:00:00:00:00", hex.EncodeToString(everything[:]))
	}
}

// add makes or joins a group whose name and passphrase are known, which asks nobody anything.
func (s *socketSession) add(name, passphrase string, settings []string, how ...string) error {
	s.seekUntil(time.Time{})
	s.ask()
	s.do("P2P_STOP_FIND")
	s.forget()
	id, err := s.get("ADD_NETWORK")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.wanted, s.stored = name, id
	s.mu.Unlock()
	for _, set := range append(settings, `ssid "`+name+`"`, `psk "`+passphrase+`"`, "disabled 2") {
		if err := s.do("SET_NETWORK", id, set); err != nil {
			s.unwant()
			s.forget()
			return err
		}
	}
	if err := s.do(append([]string{"P2P_GROUP_ADD", "persistent=" + id}, how...)...); err != nil {
		s.unwant()
		s.forget()
		return err
	}
	return nil
}

// forget takes the credentials of the last group out of wpa_supplicant.
func (s *socketSession) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stored != "" {
		_, _ = s.main.ask("REMOVE_NETWORK", s.stored)
		s.stored = ""
	}
}

// leave ends the group and waits until it is gone.
func (s *socketSession) leave(ctx context.Context) error {
	defer s.forget()
	if s.unwant() {
		s.do("P2P_CANCEL")
	}
	s.mu.Lock()
	group, ended := s.group, s.ended
	s.leaving = true
	s.mu.Unlock()
	if group == "" {
		return nil
	}
	if err := s.do("P2P_GROUP_REMOVE", group); err != nil {
		s.finished(group)
		return err
	}
	return awaitEnd(ctx, ended)
}
