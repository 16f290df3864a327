package supplicant

import (
	"context"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery/wifidirect"
)

// NetworkManager removes every Wi-Fi Direct group that it did not make, within 0.1 s, on each radio that it manages (1.42
// measured, newer ones by their source). Its own Wi-Fi Direct can neither own a group nor join by a passphrase.
const (
	managerName   = "org.freedesktop.NetworkManager"
	managerRoot   = dbus.ObjectPath("/org/freedesktop/NetworkManager")
	managerDevice = managerName + ".Device"
)

// managed reports whether NetworkManager manages the interface. It only reads.
func (b *bus) managed(ctx context.Context, iface string) bool {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	var there bool
	if b.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, managerName).Store(&there) != nil || !there {
		return false
	}
	var device dbus.ObjectPath
	root := b.conn.Object(managerName, managerRoot)
	if root.CallWithContext(ctx, managerName+".GetDeviceByIpIface", 0, iface).Store(&device) != nil {
		return false
	}
	var v dbus.Variant
	if b.conn.Object(managerName, device).CallWithContext(ctx, properties+".Get", 0, managerDevice, "Managed").Store(&v) != nil {
		return false
	}
	yes, _ := v.Value().(bool)
	return yes
}

// managedTrouble says what people can do. Nothing of it is done for them: it takes the Wi-Fi away from whatever they use it for.
func managedTrouble(iface string) *wifidirect.Trouble {
	return &wifidirect.Trouble{
		Reason: wifidirect.Managed,
		Text:   "NetworkManager owns " + iface + " and removes Wi-Fi Direct groups that others make",
		Fix: "sudo nmcli device set " + iface + " managed no (undo: sudo nmcli device set " + iface + " managed yes; the ordinary Wi-Fi on it is off " +
			"meanwhile), or keep that: plug a second adapter in, do this with its name instead, and name it with --wifi-direct",
	}
}
