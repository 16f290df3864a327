package supplicant

import (
	"context"
	"log/slog"
	"testing"

	"github.com/godbus/dbus/v5"
)

// For tests.
var (
	Entries    = entries
	ReadRecord = readRecord
	Fields     = fields
	GroupOf    = groupOf
	Colons     = colons
)

// Query and Response are the bytes of an advertised answer.
func (e entry) Query() []byte    { return e.query }
func (e entry) Response() []byte { return e.response }

// ReadAbilities reads the attributes of one message about a radio.
func ReadAbilities(attrs []byte) Abilities {
	var a Abilities
	a.read(attrs)
	return a
}

// Ear hears what a session hears, without a radio.
type Ear struct{ s busSession }

// Hear listens on a bus. Nothing of wpa_supplicant is heard before Heed.
func Hear(t *testing.T, address string) *Ear {
	t.Helper()
	e := &Ear{}
	r, err := New(Config{Iface: "wlan0", Bus: address})
	if err != nil {
		t.Fatal(err)
	}
	e.s.radio = r
	if e.s.bus, err = r.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.s.bus.close(context.Background()) })
	if err := e.s.bus.listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.s.bus.radio = "/fi/w1/wpa_supplicant1/Interfaces/0"
	return e
}

// Take takes the radio on a bus, and hears what a session of it would hear.
func Take(t *testing.T, address string) *Ear {
	t.Helper()
	r, err := New(Config{Iface: "wlan0", Bus: address})
	if err != nil {
		t.Fatal(err)
	}
	e := &Ear{busSession{radio: r}}
	if e.s.bus, err = r.dialBus(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.s.bus.close(context.Background()) })
	return e
}

// Heed, Signals, Over and Address are the session's.
func (e *Ear) Heed(ctx context.Context) error { return e.s.bus.heed(ctx) }
func (e *Ear) Signals() <-chan *dbus.Signal   { return e.s.bus.signals }
func (e *Ear) Over(sig *dbus.Signal) bool     { return e.s.over(sig) }
func (e *Ear) Address() string                { return e.s.bus.conn.Names()[0] }

// Strangers is how many signals were dropped.
func (e *Ear) Strangers() uint64 {
	e.s.bus.gate.mu.Lock()
	defer e.s.bus.gate.mu.Unlock()
	return e.s.bus.gate.strangers
}

// Drop has a gate drop n signals of strangers.
func Drop(log *slog.Logger, n int) {
	g := newGate(log)
	for range n {
		g.DeliverSignal("", "", &dbus.Signal{Sender: ":1.7"})
	}
}
