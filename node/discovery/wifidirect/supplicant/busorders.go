package supplicant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery/wifidirect"
)

// Do implements [wifidirect.Session].
func (s *busSession) Do(ctx context.Context, o wifidirect.Order) error {
	var err error
	switch o := o.(type) {
	case wifidirect.Advertise:
		err = s.advertise(ctx, o.Record)
	case wifidirect.Seek:
		err = s.seek(ctx, o.For)
	case wifidirect.Rest:
		s.seekUntil(time.Time{})
		s.p2p(ctx, "StopFind")
		err = s.p2p(ctx, "ExtendedListen", dict{"period": dbus.MakeVariant(int32(restListen)), "interval": dbus.MakeVariant(int32(restEvery))})
	case wifidirect.Host:
		err = s.host(ctx, o)
	case wifidirect.Join:
		err = s.join(ctx, o)
	case wifidirect.Leave:
		return s.leave(ctx)
	}
	if t, ok := errors.AsType[*wifidirect.Trouble](explainHard(err)); ok {
		return t
	}
	return err
}

// A resting radio listens this long in each so many milliseconds.
const (
	restListen = 500
	restEvery  = 2000
)

// explainHard keeps only what ends a session.
func explainHard(err error) error {
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		return nil // it is slow; if it is gone a signal says so
	}
	t, ok := errors.AsType[*wifidirect.Trouble](explain(err))
	if ok && t.Reason != wifidirect.Broken {
		return t
	}
	return nil
}

func (s *busSession) p2p(ctx context.Context, method string, args ...any) error {
	if err := s.bus.call(ctx, s.bus.radio, p2pName+"."+method, args...).Err; err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

func (s *busSession) advertise(ctx context.Context, r wifidirect.Record) error {
	s.p2p(ctx, "FlushService")
	for _, e := range entries(r) {
		if err := s.p2p(ctx, "AddService", dict{
			"service_type": dbus.MakeVariant("bonjour"), "query": dbus.MakeVariant(e.query), "response": dbus.MakeVariant(e.response),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *busSession) seekUntil(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = t
}

func (s *busSession) seek(ctx context.Context, how time.Duration) error {
	s.seekUntil(time.Now().Add(how))
	s.ask(ctx)
	seconds := int32(max(1, how/time.Second))
	return s.p2p(ctx, "Find", dict{"Timeout": dbus.MakeVariant(seconds), "DiscoveryType": dbus.MakeVariant("social")})
}

// ask puts the question for records anew, so that devices that have answered are asked again.
func (s *busSession) ask(ctx context.Context) {
	s.mu.Lock()
	old, seeking := s.query, time.Now().Before(s.until)
	s.query = 0
	s.mu.Unlock()
	if old != 0 {
		s.p2p(ctx, "ServiceDiscoveryCancelRequest", old)
	}
	if !seeking {
		return
	}
	var ref uint64
	if s.bus.call(ctx, s.bus.radio, p2pName+".ServiceDiscoveryRequest", dict{"tlv": dbus.MakeVariant(everything[:])}).Store(&ref) == nil {
		s.mu.Lock()
		s.query = ref
		s.mu.Unlock()
	}
}

func (s *busSession) host(ctx context.Context, o wifidirect.Host) error {
	frequency := s.bus.frequency(ctx)
	if frequency == 0 {
		frequency = channels[int(o.Seed%uint32(len(channels)))]
	}
	s.radio.handOut(o.Limit)
	group := dict{"ssid": dbus.MakeVariant(o.Name), "psk": dbus.MakeVariant(o.Passphrase), "mode": dbus.MakeVariant(int32(3))}
	return s.add(ctx, o.Name, group, dict{"frequency": dbus.MakeVariant(frequency)})
}

func (s *busSession) join(ctx context.Context, o wifidirect.Join) error {
	mac, ok := colons(o.Owner)
	if !ok {
		return fmt.Errorf("%q is no device", o.Owner)
	}
	group := dict{
		"ssid": dbus.MakeVariant(o.Name), "psk": dbus.MakeVariant(o.Passphrase), "mode": dbus.MakeVariant(int32(0)), "bssid": dbus.MakeVariant(mac),
	}
	return s.add(ctx, o.Name, group, dict{})
}

// add makes or joins a group whose name and passphrase are known, which asks nobody anything.
func (s *busSession) add(ctx context.Context, name string, group, how dict) error {
	s.seekUntil(time.Time{})
	s.ask(ctx)
	s.p2p(ctx, "StopFind")
	s.forget(ctx)
	var stored dbus.ObjectPath
	if err := s.bus.call(ctx, s.bus.radio, p2pName+".AddPersistentGroup", group).Store(&stored); err != nil {
		return fmt.Errorf("name the group: %w", err)
	}
	s.mu.Lock()
	s.wanted, s.stored = name, stored
	s.mu.Unlock()
	how["persistent_group_object"] = dbus.MakeVariant(stored)
	err := s.p2p(ctx, "GroupAdd", how)
	if err != nil {
		s.unwant()
		s.forget(ctx)
	}
	return err
}

// forget takes the credentials of the last group out of wpa_supplicant.
func (s *busSession) forget(ctx context.Context) {
	s.mu.Lock()
	stored := s.stored
	s.stored = ""
	s.mu.Unlock()
	if stored != "" {
		s.p2p(ctx, "RemovePersistentGroup", stored)
	}
}

// leave ends the group and waits until it is gone, so that whatever is ordered next does not meet it.
func (s *busSession) leave(ctx context.Context) error {
	defer s.forget(ctx)
	if s.unwant() {
		s.p2p(ctx, "Cancel")
	}
	s.mu.Lock()
	group, ended := s.group, s.ended
	s.leaving = true
	s.mu.Unlock()
	if group == "" {
		return nil
	}
	if err := s.bus.call(ctx, group, p2pName+".Disconnect").Err; err != nil {
		s.finished(group) // there is nothing to wait for
		return fmt.Errorf("leave the group: %w", err)
	}
	return awaitEnd(ctx, ended)
}

// colons writes a device address as wpa_supplicant reads it.
func colons(d wifidirect.Device) (string, bool) {
	if len(d) != 12 {
		return "", false
	}
	var b []byte
	for i := 0; i < len(d); i += 2 {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, d[i], d[i+1])
	}
	return string(b), true
}

// awaitEnd waits until a group that was left is gone.
func awaitEnd(ctx context.Context, ended <-chan struct{}) error {
	t := time.NewTimer(endFor)
	defer t.Stop()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return errors.New("the group does not end")
	}
}
