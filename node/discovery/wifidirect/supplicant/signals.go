package supplicant

import (
	"context"
	"log/slog"
	"sync"

	"github.com/godbus/dbus/v5"
)

// The bus itself, as it signs what it says.
const (
	busItself    = "org.freedesktop.DBus"
	ownerChanged = busItself + ".NameOwnerChanged"
)

// queue is what the library's own handlers can do: it keeps signals in order and gives them to channels.
type queue interface {
	dbus.SignalHandler
	dbus.SignalRegistrar
	dbus.Terminator
}

// gate lets through what the bus says, and what the program says that owns wpa_supplicant's name; and drops what any other
// program sends under wpa_supplicant's words.
//
// The bus guarantees three things. It writes the sender on each message itself: the unique name of a connection, which no other
// gets while the bus runs, or its own. A match rule with a well-known sender matches the owner of that name alone. And only
// who was asked can answer a call. But rules only add: a signal that is addressed to our connection arrives whatever they say, and a
// system's bus lets every program send one. It could end our group, or tell of one that is not there, so each sender is looked at.
//
// The gate stands before the library's queue, which is bounded by nothing: a stranger's flood must not wait there while a call is slow.
type gate struct {
	queue
	log *slog.Logger

	mu        sync.Mutex // guards the fields below
	owner     string     // unique name of wpa_supplicant; "" until it is asked for
	strangers uint64     // signals dropped
}

func newGate(log *slog.Logger) *gate {
	return &gate{queue: dbus.NewSequentialSignalHandler().(queue), log: log}
}

// DeliverSignal implements [dbus.SignalHandler]. The library calls it for one signal after the other, in the order of the bus.
func (g *gate) DeliverSignal(iface, member string, sig *dbus.Signal) {
	if g.passes(sig.Sender) {
		g.queue.DeliverSignal(iface, member, sig)
	}
}

// passes reports whether a sender is heard. The first stranger's signal is logged, and each that doubles their number: a flood
// must not fill the log either.
func (g *gate) passes(sender string) bool {
	g.mu.Lock()
	if sender == busItself || sender != "" && sender == g.owner {
		g.mu.Unlock()
		return true
	}
	g.strangers++
	n := g.strangers
	g.mu.Unlock()
	if n&(n-1) == 0 {
		g.log.Debug("signals of strangers dropped", "count", n)
	}
	return false
}

// listen asks for signals. Nothing of wpa_supplicant comes before heed; what the bus says of its name comes at once, so that no
// change of owner is missed.
func (b *bus) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	b.signals = make(chan *dbus.Signal, 64) // the queue keeps what does not fit, in order
	b.conn.Signal(b.signals)
	err := b.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName))
	if err == nil {
		err = b.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(busItself), dbus.WithMatchInterface(busItself),
			dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, busName))
	}
	if err != nil {
		return explain(err)
	}
	return nil
}

// heed lets through what the present owner of wpa_supplicant's name signals. One owner serves a session: the next one knows nothing
// of our groups, so a change is the session's end (see [busSession.over]).
func (b *bus) heed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	var owner string
	if err := b.conn.BusObject().CallWithContext(ctx, busItself+".GetNameOwner", 0, busName).Store(&owner); err != nil {
		return explain(err)
	}
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	b.gate.owner = owner
	return nil
}

// deposed reports whether a signal says that wpa_supplicant's name is no longer its owner's, or not any more the one's we took the
// radio from. That the owner came, when it was our call that started it, says neither.
func (b *bus) deposed(sig *dbus.Signal) bool {
	if sig.Sender != busItself || sig.Name != ownerChanged || len(sig.Body) != 3 || sig.Body[0] != busName {
		return false
	}
	b.gate.mu.Lock()
	defer b.gate.mu.Unlock()
	return sig.Body[2] != b.gate.owner
}
