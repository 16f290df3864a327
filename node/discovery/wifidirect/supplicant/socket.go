package supplicant

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"longear/node/discovery/wifidirect"
)

// replyFor bounds the wait for an answer on a control socket. wpa_supplicant is one thread and may be scanning.
const replyFor = 10 * time.Second

// maxEvent is more than the longest event: a stranger's answers in hex.
const maxEvent = 16 << 10

// control is one end on a control socket. Commands have one socket and events another, because an event may come between a
// command and its answer.
type control struct{ conn *net.UnixConn }

// dialControl opens one. Its own address is a name in the kernel, so that no file is left; a random one, so that two never meet.
func dialControl(path string) (*control, error) {
	own := fmt.Sprintf("@longear-wpa-%016x", rand.Uint64())
	conn, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"}, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &control{conn}, nil
}

// ask sends a command and returns the answer. What failed is named without its arguments: a passphrase may be among them.
func (c *control) ask(words ...string) (string, error) {
	b := make([]byte, maxEvent)
	if err := c.conn.SetReadDeadline(time.Now()); err != nil {
		return "", err
	}
	for { // an answer that came too late for its question is none to this one
		if n, err := c.conn.Read(b); err != nil || n == 0 {
			break
		}
	}
	if _, err := c.conn.Write([]byte(strings.Join(words, " "))); err != nil {
		return "", gone(err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(replyFor)); err != nil {
		return "", err
	}
	n, err := c.conn.Read(b)
	if err != nil {
		return "", gone(err)
	}
	answer := strings.TrimSpace(string(b[:n]))
	if strings.HasPrefix(answer, "FAIL") || strings.HasPrefix(answer, "UNKNOWN COMMAND") {
		return "", fmt.Errorf("wpa_supplicant refuses %s", words[0])
	}
	return answer, nil
}

// gone says that nobody is at the other end.
func gone(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return &wifidirect.Trouble{
			Reason: wifidirect.NoRights, Text: "this user may not use wpa_supplicant",
			Fix: "sudo adduser $USER netdev, then log in again",
		}
	}
	return &wifidirect.Trouble{
		Reason: wifidirect.NoSupplicant, Text: fmt.Sprintf("wpa_supplicant does not run (%v)", err), Fix: "systemctl start wpa_supplicant",
	}
}

// attach makes a control one of events.
func (c *control) attach() error {
	_, err := c.ask("ATTACH")
	return errors.Join(err, c.conn.SetReadDeadline(time.Time{}))
}

// next waits for an event. It is without its level, "<3>".
func (c *control) next() (string, error) {
	b := make([]byte, maxEvent)
	n, err := c.conn.Read(b)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(b[:n]))
	if strings.HasPrefix(s, "<") {
		_, s, _ = strings.Cut(s, ">")
	}
	return s, nil
}

func (c *control) close() { _ = c.conn.Close() }

// fields reads the key=value lines or words of an answer or event; values in quotes may have spaces.
func fields(s string) map[string]string {
	f := map[string]string{}
	for s != "" {
		var word string
		s = strings.TrimLeft(s, " \n")
		end := strings.IndexAny(s, " \n")
		if q := strings.Index(s, `="`); q >= 0 && (end < 0 || q < end) {
			if close := strings.Index(s[q+2:], `"`); close >= 0 {
				f[s[:q]] = s[q+2 : q+2+close]
				s = s[q+2+close+1:]
				continue
			}
		}
		if end < 0 {
			end = len(s)
		}
		word, s = s[:end], s[end:]
		if k, v, ok := strings.Cut(word, "="); ok {
			f[k] = v
		}
	}
	return f
}

// talk asks one command of a socket that is opened for it.
func talk(path string, words ...string) (string, error) {
	c, err := dialControl(path)
	if err != nil {
		return "", gone(err)
	}
	defer c.close()
	return c.ask(words...)
}

// p2pSocket is where Wi-Fi Direct of the radio is driven: a device of its own, where the driver has one.
func (r *Radio) p2pSocket() (string, error) {
	for _, name := range []string{"p2p-dev-" + r.cfg.Iface, r.cfg.Iface} {
		path := filepath.Join(r.cfg.Sockets, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", gone(errors.New("no socket in " + r.cfg.Sockets))
}

// drivenElsewhere reports whether a wpa_supplicant that is not on D-Bus has the radio.
func (r *Radio) drivenElsewhere() bool {
	path, err := r.p2pSocket()
	if err == nil {
		_, err = talk(path, "PING")
	}
	return err == nil
}

// elsewhere leads to the control socket.
func elsewhere(iface string) error {
	return &wifidirect.Trouble{
		Reason: wifidirect.NoSupplicant, Text: "another wpa_supplicant than that of D-Bus has " + iface,
		Fix: "name the folder of its control sockets with --wifi-direct-control",
	}
}

// handOut makes an owner take so many members, and give them an address in the handshake that joins them, so that they need no
// DHCP. Over D-Bus this cannot be said (2.10), but where D-Bus is there is mostly a control socket as well. Without it members
// use IPv6, and the number is only what we tell them.
func (r *Radio) handOut(limit int) {
	path, err := r.p2pSocket()
	if err != nil {
		return
	}
	// The hub's DHCP gives phones what is above 99.
	for _, set := range [][2]string{
		{"ip_addr_go", wifidirect.OwnerAddr.String()},
		{"ip_addr_mask", "255.255.255.0"},
		{"ip_addr_start", "192.168.49.20"},
		{"ip_addr_end", "192.168.49.99"},
		{"max_num_sta", strconv.Itoa(limit)},
	} {
		if _, err := talk(path, "SET", set[0], set[1]); err != nil {
			return
		}
	}
}

// sweepSockets removes the groups on the radio that an earlier run of longear left, and says whether somebody else has one.
func (r *Radio) sweepSockets(main *control) error {
	all, err := os.ReadDir(r.cfg.Sockets)
	if err != nil {
		return gone(err)
	}
	for _, f := range all {
		if f.Name() == r.cfg.Iface || !groupOf(r.cfg.Iface, f.Name()) {
			continue
		}
		text, err := talk(filepath.Join(r.cfg.Sockets, f.Name()), "STATUS")
		st := fields(text)
		switch {
		case err != nil || st["ssid"] == "":
		case !wifidirect.OurName(r.cfg.Circle, st["ssid"]):
			return foreign()
		default:
			if _, err := main.ask("P2P_GROUP_REMOVE", f.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}
