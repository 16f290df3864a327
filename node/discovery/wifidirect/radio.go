// Package wifidirect makes links where there is no network: devices with nothing but a Wi-Fi radio find each other, and
// one of them becomes the owner of a Wi-Fi Direct group, which is an access point that the others join.
//
// A [Radio] is the hardware: orders in, events out. The [Agent] holds the policy: who owns, who joins, who moves. There is no
// mesh of groups. Each device is in one group at a time, and people who walk between groups, or members that the agent sends
// to another group whose store differs, carry the messages. Where all groups are full a member begins another, or nobody could move.
//
// A group's name says that it is ours and its passphrase is derived from the name (credentials.go), so that nobody is asked
// anything: there is no negotiation and no push button. The link is therefore no secret. What keeps messages safe is above it.
//
// Invariants: a group that longear did not make is never joined, changed or removed. Passphrases and the names that the
// system gives to group interfaces are neither stored nor logged. Records heard over the air are hints by strangers: they
// cost a bounded number of tries and moves, and never a group that works.
package wifidirect

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Radio is a way to the Wi-Fi hardware of one machine.
type Radio interface {
	// Open takes hold of the hardware, removes groups that an earlier run of longear left, and begins to listen.
	// The error is a *[Trouble] where a person can do something about it.
	Open(ctx context.Context) (Session, error)
}

// Session is an open radio. It is used by one goroutine.
type Session interface {
	// Do begins what the order says. What comes of it is an event; an error means that nothing will come.
	Do(ctx context.Context, o Order) error
	// Events is closed when the session is broken: the program that drives the radio is gone, or the radio.
	Events() <-chan Event
	// Close ends the session and waits for its goroutines. A group that is still up stays: order Leave first.
	Close() error
}

// Order is one of Advertise, Seek, Rest, Host, Join and Leave.
type Order interface{ order() }

// Orders.
type (
	// Advertise replaces what strangers are told who ask.
	Advertise struct{ Record Record }
	// Seek looks for other devices for a while, asks each for its record and can be found meanwhile.
	Seek struct{ For time.Duration }
	// Rest stops seeking and listens now and then only.
	Rest struct{}
	// Host makes a group. It ends in Started or Failed.
	Host struct {
		Name, Passphrase string
		Seed             uint32 // picks the channel where the radio is free to
		Limit            int    // most members; a radio that cannot set it has a limit of its own
	}
	// Join enters a group whose owner was heard within the last seconds. It ends in Started or Failed.
	Join struct {
		Owner            Device
		Name, Passphrase string
	}
	// Leave ends the group, or leaves the one that was joined. It ends in Ended.
	Leave struct{}
)

func (Advertise) order() {}
func (Seek) order()      {}
func (Rest) order()      {}
func (Host) order()      {}
func (Join) order()      {}
func (Leave) order()     {}

// Device is a Wi-Fi Direct device address, six bytes in hex.
type Device string

// Event is one of Heard, Started, Ended, Link, Members and Failed.
type Event interface{ event() }

// Events.
type (
	// Heard is a device's answer. Anyone can forge it.
	Heard struct {
		Device Device
		Record Record
	}
	// Started says that our group is up.
	Started struct{ Group Group }
	// Ended says that it is gone, whoever wanted that.
	Ended struct{}
	// Link says whether a member still hears the owner.
	Link struct{ Up bool }
	// Members is how many devices an owner has.
	Members struct{ N int }
	// Failed says that Host or Join came to nothing.
	Failed struct{ Err error }
)

func (Heard) event()   {}
func (Started) event() {}
func (Ended) event()   {}
func (Link) event()    {}
func (Members) event() {}
func (Failed) event()  {}

// OwnerAddr is the address of every owner: Android's own, so that a hub is at one place whatever it runs on.
var OwnerAddr = netip.AddrFrom4([4]byte{192, 168, 49, 1})

// Group is a group that is up.
type Group struct {
	Iface string     // the network interface; new for each group, so never kept
	Owner bool       // this device owns it
	Local netip.Addr // our IPv4 address in it; invalid where there is link-local IPv6 only
	Hub   netip.Addr // the owner's address, invalid for the owner and where it is not known
	Note  string     // what a person should know, such as that there is no right to set an address
}

// Reason is why a radio cannot be used, one word for programs.
type Reason string

// The reasons.
const (
	NoBus        Reason = "no-bus"        // D-Bus is not there
	NoSupplicant Reason = "no-supplicant" // wpa_supplicant is not there
	NoInterface  Reason = "no-interface"  // the Wi-Fi interface is not there
	NoP2P        Reason = "no-p2p"        // the radio has no Wi-Fi Direct
	SwitchedOff  Reason = "rfkill"        // the radio is switched off
	Managed      Reason = "managed"       // NetworkManager owns the radio and removes what others make
	NoRights     Reason = "no-rights"     // this user may not
	InUse        Reason = "in-use"        // another longear has it
	Foreign      Reason = "foreign-group" // somebody else's group is up
	Removed      Reason = "removed"       // something removes our groups as soon as they are up
	Broken       Reason = "broken"        // anything else
)

// Trouble is why a radio cannot be used, for people.
type Trouble struct {
	Reason Reason
	Text   string
	Fix    string // what to do about it
}

// Error is the text with the fix.
func (t *Trouble) Error() string {
	if t.Fix == "" {
		return t.Text
	}
	return fmt.Sprintf("%s; %s", t.Text, t.Fix)
}
