//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"longear/node/discovery/wifidirect"
)

// checkSecrets fails the case if a log of longear names a group's interface or passphrase.
func (w *world) checkSecrets() {
	for _, b := range w.boxes {
		log := b.log.String()
		if before, after, named := strings.Cut(log, "p2p-wlan"); named {
			w.fail("%s: the log has the name of a group's interface: %q", b.ns, before[max(0, len(before)-150):]+"p2p-wlan"+after[:min(len(after), 60)])
		}
		wpa, _ := os.ReadFile(b.dir + "/wpa.log")
		for name := range groupNames(string(wpa) + log) {
			if strings.Contains(log, wifidirect.Passphrase("", name)) {
				w.fail("%s: the log has a passphrase", b.ns)
			}
		}
		home, _ := filepath.Glob(b.dir + "/home/state/*")
		for _, file := range home {
			text, err := os.ReadFile(file)
			if err == nil && bytes.Contains(text, []byte("p2p-wlan")) {
				w.fail("%s: %s has the name of a group's interface", b.ns, file)
			}
			for name := range groupNames(string(wpa)) {
				if bytes.Contains(text, []byte(wifidirect.Passphrase("", name))) {
					w.fail("%s: %s has a passphrase", b.ns, file)
				}
			}
		}
	}
}

// groupNames are the names of longear's groups in a text.
func groupNames(text string) map[string]bool {
	names := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(text, "DIRECT-")
		if !ok {
			return names
		}
		if name := "DIRECT-" + rest[:min(len(rest), 23)]; wifidirect.OurName("", name) {
			names[name] = true
		}
		text = rest
	}
}

// path is the states that a machine's node went through.
func (b *box) path() string {
	var went []string
	for line := range strings.Lines(b.log.String()) {
		if _, rest, ok := strings.Cut(line, `msg="wi-fi direct" state=`); ok {
			state, _, _ := strings.Cut(rest, " ")
			went = append(went, state)
		}
	}
	return strings.Join(went, " ")
}

// dump prints what is needed to see why a case failed.
func (w *world) dump() {
	for _, b := range w.boxes {
		say("%s %s: %+v groups %d", w.name, b.ns, b.wifi(), len(b.groups()))
		print := func(what, text string, n int) {
			lines := strings.Split(strings.TrimSpace(text), "\n")
			for _, l := range lines[max(0, len(lines)-n):] {
				say("   %s %s: %s", b.ns, what, l)
			}
		}
		print("longear", b.log.String(), 12)
		wpa, _ := os.ReadFile(b.dir + "/wpa.log")
		print("wpa", string(wpa), 12)
		for _, name := range []string{"manager", "bus", "supplicant", "second"} {
			other, _ := os.ReadFile(b.dir + "/" + name + ".log")
			print(name, string(other), 12)
		}
		addrs, _ := exec.Command("ip", "-n", b.ns, "-br", "addr").Output()
		print("addr", string(addrs), 6)
	}
}
