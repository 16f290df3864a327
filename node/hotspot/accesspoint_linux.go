//go:build !android

package hotspot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// endTime is how long a child gets to take its Wi-Fi down.
const endTime = 3 * time.Second

// Run makes the Wi-Fi until ctx ends. A child that ends before that is a *Trouble, with what it said last.
func (a AccessPoint) Run(ctx context.Context) error {
	if err := a.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "longear-wifi-") // only its owner may look into it
	if err != nil {
		return fmt.Errorf("make a folder for the Wi-Fi: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "wifi.conf")
	cmd, text, err := a.program(ctx, file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the Wi-Fi's settings: %w", err)
	}
	out := &lastWords{}
	cmd.Stdout, cmd.Stderr = out, out
	// It must not outlive this program, however that ends: nobody else would take the Wi-Fi down.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endTime
	a.Log.Info("making a Wi-Fi", "interface", a.Iface, "program", filepath.Base(cmd.Path))
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("it ended")
	}
	return &Trouble{
		What: fmt.Sprintf("%s makes no Wi-Fi on %s", filepath.Base(cmd.Path), a.Iface),
		Fix:  "take the radio from who has it: nmcli device set " + a.Iface + " managed no; rfkill unblock wifi; what it said: " + out.String(),
		Err:  err,
	}
}

// program is the command that makes the Wi-Fi from a file, and what is to be in the file.
func (a AccessPoint) program(ctx context.Context, file string) (*exec.Cmd, string, error) {
	// Where these are, for whoever's PATH does not say so.
	find := func(name string) (string, bool) {
		for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
			if path, err := exec.LookPath(dir + name); err == nil {
				return path, true
			}
		}
		return "", false
	}
	if path, ok := find("hostapd"); ok {
		text, err := a.hostapd()
		return exec.CommandContext(ctx, path, file), text, err
	}
	if path, ok := find("wpa_supplicant"); ok {
		text, err := a.supplicant()
		return exec.CommandContext(ctx, path, "-D", "nl80211", "-i", a.Iface, "-c", file), text, err
	}
	return nil, "", &Trouble{What: "no program here makes a Wi-Fi", Fix: "install hostapd or wpa_supplicant, or make the Wi-Fi with the system's settings and leave --wifi-make out"}
}

// lastWords keeps the end of what a child says.
type lastWords struct {
	mu sync.Mutex
	b  []byte // guarded by mu; at most maxWords
}

const maxWords = 400

// Write takes what the child says.
func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	l.b = l.b[max(0, len(l.b)-maxWords):]
	return len(p), nil
}

// String is that as one line, without keys: neither program prints any unless it is told to, and a later one might.
func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keep []string
	for line := range strings.Lines(strings.ToValidUTF8(string(l.b), "?")) {
		if lower := strings.ToLower(line); !strings.Contains(lower, "psk") && !strings.Contains(lower, "passphrase") {
			keep = append(keep, strings.TrimSpace(line))
		}
	}
	return strings.Join(keep, " / ")
}
