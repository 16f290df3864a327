package supplicant_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery/wifidirect/supplicant"
)

// systemRules are those of a system's bus that matter here: every program may send signals, and call wpa_supplicant.
const systemRules = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=PATH</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/>
    <deny send_type="method_call"/> <allow send_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="fi.w1.wpa_supplicant1" send_type="method_call"/> <allow receive_type="method_call"/>
    <allow send_type="method_return" send_requested_reply="true"/> <allow send_type="error" send_requested_reply="true"/>
    <allow receive_type="method_return"/> <allow receive_type="error"/> <allow receive_type="signal"/>
  </policy>
</busconfig>`

const (
	wpa        = "fi.w1.wpa_supplicant1"
	p2pDevice  = wpa + ".Interface.P2PDevice"
	properties = "org.freedesktop.DBus.Properties"
	rootPath   = dbus.ObjectPath("/fi/w1/wpa_supplicant1")
	radioPath  = dbus.ObjectPath("/fi/w1/wpa_supplicant1/Interfaces/0")
)

// startBus runs a bus of the test's own and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("SKIPPED: whose signals are heard is not tested: no dbus-daemon")
	}
	dir, err := os.MkdirTemp("", "bus") // a test's own folder may be too deep for the name of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := filepath.Join(dir, "conf")
	if err := os.WriteFile(conf, []byte(strings.Replace(systemRules, "PATH", filepath.Join(dir, "bus"), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-daemon", "--config-file="+conf, "--nofork", "--nopidfile", "--print-address=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the bus does not start: %v", err)
	}
	return strings.TrimSpace(address)
}

// program is any program on the bus.
type program struct {
	t    *testing.T
	conn *dbus.Conn
}

func join(t *testing.T, address string) program {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return program{t, conn}
}

// own takes wpa_supplicant's name, from whoever has it.
func (p program) own() {
	p.t.Helper()
	got, err := p.conn.RequestName(wpa, dbus.NameFlagAllowReplacement|dbus.NameFlagReplaceExisting)
	if err != nil || got != dbus.RequestNameReplyPrimaryOwner {
		p.t.Fatalf("the name is not ours: %v %v", got, err)
	}
}

// say sends a signal, to everybody who asked for such or, with a destination, to one; when it returns the bus has handed it on.
func (p program) say(to string, path dbus.ObjectPath, name string, body ...any) {
	p.t.Helper()
	dot := strings.LastIndexByte(name, '.')
	m := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldInterface: dbus.MakeVariant(name[:dot]), dbus.FieldMember: dbus.MakeVariant(name[dot+1:]), dbus.FieldPath: dbus.MakeVariant(path),
		dbus.FieldSender:    dbus.MakeVariant(wpa), // the bus writes the true one over it
		dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...)),
	}, Body: body}
	if to != "" {
		m.Headers[dbus.FieldDestination] = dbus.MakeVariant(to)
	}
	if c := p.conn.Send(m, nil); c != nil && c.Err != nil {
		p.t.Fatal(c.Err)
	}
	if err := p.conn.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
		p.t.Fatal(err)
	}
}

// heard is the next signal that comes through, and whether it ends the session. The bus's greeting may come before anybody listens.
func heard(t *testing.T, e *supplicant.Ear) (sig *dbus.Signal, over bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for sig == nil || sig.Name == "org.freedesktop.DBus.NameAcquired" {
		select {
		case sig = <-e.Signals():
		case <-ctx.Done():
		}
		if sig == nil {
			t.Fatal("nothing is heard")
		}
	}
	return sig, e.Over(sig)
}

func TestOnlyTheOwnerOfTheNameIsHeard(t *testing.T) {
	address := startBus(t)
	owner, stranger := join(t, address), join(t, address)
	owner.own()
	e := supplicant.Hear(t, address)
	if err := e.Heed(t.Context()); err != nil {
		t.Fatal(err)
	}
	lies := []struct {
		why, name string
		body      []any
	}{
		{"a group that is not there", p2pDevice + ".GroupStarted", []any{map[string]dbus.Variant{"role": dbus.MakeVariant("GO")}}},
		{"the end of ours", p2pDevice + ".GroupFinished", []any{map[string]dbus.Variant{"interface_object": dbus.MakeVariant(radioPath)}}},
		{"the radio's end", wpa + ".InterfaceRemoved", []any{radioPath}},
		{"wpa_supplicant's end", "org.freedesktop.DBus.NameOwnerChanged", []any{wpa, owner.conn.Names()[0], ""}},
	}
	for i, lie := range lies {
		stranger.say("", radioPath, lie.name, lie.body...)
		stranger.say(e.Address(), radioPath, lie.name, lie.body...)
		owner.say("", radioPath, p2pDevice+".FindStopped")
		sig, over := heard(t, e)
		if sig.Name != p2pDevice+".FindStopped" || over {
			t.Errorf("a stranger tells of %s: %s from %s is heard, the end: %v", lie.why, sig.Name, sig.Sender, over)
		}
		// What went to everybody does not reach us: the match rules see to that. What went to us does.
		if got, want := e.Strangers(), uint64(i+1); got != want {
			t.Errorf("a stranger tells of %s: %d signals of strangers are counted, want %d", lie.why, got, want)
		}
	}
}

func TestAFloodOfStrangersDoesNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	supplicant.Drop(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), 1000)
	if got := strings.Count(log.String(), "signals of strangers dropped"); got != 10 {
		t.Errorf("1000 drops are logged %d times, want 10: the first, and each doubling up to 512", got)
	}
}

func TestAnotherOwnerOfTheNameEndsTheSession(t *testing.T) {
	tests := []struct {
		why  string
		lose func(old, next program)
	}{
		{"wpa_supplicant ends", func(old, _ program) { old.conn.Close() }},
		{"another takes over at once", func(_, next program) { next.own() }},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			address := startBus(t)
			old, next := join(t, address), join(t, address)
			e := supplicant.Hear(t, address)
			old.own() // as when our first call starts it
			if err := e.Heed(t.Context()); err != nil {
				t.Fatal(err)
			}
			if sig, over := heard(t, e); sig.Name != "org.freedesktop.DBus.NameOwnerChanged" || over {
				t.Fatalf("its start is told by %s, the end: %v", sig.Name, over)
			}
			tt.lose(old, next)
			sig, over := heard(t, e)
			if sig.Name != "org.freedesktop.DBus.NameOwnerChanged" || !over {
				t.Errorf("it is told by %s, the end: %v", sig.Name, over)
			}
		})
	}
}

// driver is a wpa_supplicant with one radio, which a program takes from it while whoever opens it asks for what an earlier run left.
type driver struct{ program }

// GetInterface is of wpa_supplicant's API.
func (d driver) GetInterface(string) (dbus.ObjectPath, *dbus.Error) { return radioPath, nil }

// Get reads a property.
func (d driver) Get(_, name string) (dbus.Variant, *dbus.Error) {
	switch name {
	case "Interfaces":
		return dbus.MakeVariant([]dbus.ObjectPath{radioPath}), nil
	case "Ifname":
		return dbus.MakeVariant("wlan0"), nil
	case "Capabilities":
		return dbus.MakeVariant(map[string]dbus.Variant{"Modes": dbus.MakeVariant([]string{"p2p"})}), nil
	case "Role":
		if err := d.conn.Emit(rootPath, wpa+".InterfaceRemoved", radioPath); err != nil {
			return dbus.Variant{}, dbus.MakeFailedError(err)
		}
		return dbus.MakeVariant("device"), nil
	}
	return dbus.Variant{}, dbus.MakeFailedError(errors.New(name + " is not asked for"))
}

// TestTheRadioGoesWhileItIsTaken: that is told once, and what is ordered of the radio later does not tell it.
func TestTheRadioGoesWhileItIsTaken(t *testing.T) {
	address := startBus(t)
	d := driver{join(t, address)}
	if err := errors.Join(d.conn.Export(d, rootPath, wpa), d.conn.Export(d, rootPath, properties), d.conn.Export(d, radioPath, properties)); err != nil {
		t.Fatal(err)
	}
	d.own()
	e := supplicant.Take(t, address)
	d.say("", radioPath, p2pDevice+".FindStopped")
	if sig, over := heard(t, e); sig.Name != wpa+".InterfaceRemoved" || !over {
		t.Errorf("%s is heard, the end: %v", sig.Name, over)
	}
}
