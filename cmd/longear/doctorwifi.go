package main

import (
	"context"
	"fmt"
	"strings"

	"longear/node/api"
	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
	"longear/node/discovery/wifidirect/supplicant"
)

// checkWifi says of each Wi-Fi radio what it can do for Wi-Fi Direct, who owns it, and what is in the way.
func (a *app) checkWifi(ctx context.Context, s *api.StatusReport) (found []api.Finding) {
	radios := supplicant.Interfaces()
	if len(radios) == 0 {
		return []api.Finding{ok("there is no Wi-Fi radio")}
	}
	if f := wifiOf(s); f != nil {
		found = append(found, *f)
	}
	chosen := a.wifiSettings()
	for _, name := range radios {
		f := chosen
		f.direct = name
		radio, err := supplicant.New(f.radio())
		if err != nil {
			found = append(found, warn("", "%s: %v", name, err))
			continue
		}
		found = append(found, showRadio(name, name == chosen.direct, radio.Look(ctx)))
	}
	return found
}

// wifiSettings are what the settings say of Wi-Fi; a broken file is another check's finding.
func (a *app) wifiSettings() (f relayFlags) {
	settings, err := readSettings(a.paths.Config)
	if err != nil {
		return f
	}
	for key, to := range map[string]*string{"wifi-direct": &f.direct, "wifi-direct-circle": &f.directCircle, "wifi-direct-control": &f.directControl} {
		if v := settings[key]; len(v) == 1 {
			*to = v[0]
		}
	}
	return f
}

// wifiOf is what the running node says of its radio, nil if it has none.
func wifiOf(s *api.StatusReport) *api.Finding {
	if s == nil {
		return nil
	}
	for _, r := range s.Discovery {
		if r.Rung != discovery.WifiDirect || r.State == discovery.StateIdle || r.State == discovery.StateOff {
			continue
		}
		text := "the node is " + string(r.State)
		if r.Detail != "" {
			text += ", " + r.Detail
		}
		f := ok("%s", text)
		if r.State == discovery.StateBlocked {
			f = warn(r.Fix, "the node cannot use its radio: %s", r.Err)
		}
		return &f
	}
	return nil
}

// showRadio is one radio's finding. Trouble is a warning where somebody wants to use the radio or could.
func showRadio(name string, chosen bool, s supplicant.Survey) api.Finding {
	text := name + ": " + showAbilities(s.Abilities)
	if s.Driver != "" {
		text += "; " + s.Driver
	}
	switch {
	case s.Trouble == nil && chosen:
		return ok("%s", text)
	case s.Trouble == nil:
		return ok("%s; use it with longear relay --wifi-direct %s", text, name)
	case s.Trouble.Reason == wifidirect.NoP2P && !chosen:
		return ok("%s (%s)", text, s.Trouble.Text)
	}
	return warn(s.Trouble.Fix, "%s; %s", text, s.Trouble.Text)
}

// showAbilities is what a radio can do, in one line.
func showAbilities(a supplicant.Abilities) string {
	var can []string
	add := func(yes bool, what string) {
		if yes {
			can = append(can, what)
		}
	}
	add(a.Owner && a.Client, "Wi-Fi Direct")
	add(a.AP, "access point")
	add(a.WhileConnected, "both while it is in a Wi-Fi")
	add(a.Channels > 0, fmt.Sprintf("%s at a time", plural(a.Channels, "channel")))
	add(len(a.Frequencies) > 0, plural(len(a.Frequencies), "frequency"))
	add(a.MaxClients > 0, fmt.Sprintf("at most %s", plural(a.MaxClients, "client")))
	if len(can) == 0 {
		return "what it can do is not known"
	}
	return strings.Join(can, ", ")
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}
