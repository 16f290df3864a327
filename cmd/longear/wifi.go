package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"longear/node/api"
	"longear/node/discovery/wifidirect"
	"longear/node/discovery/wifidirect/supplicant"
)

// maxWifiPlaces is how many addresses an owner has for members.
const maxWifiPlaces = 80

// wifiDirect is what makes groups with the radio that the flags name, or nil if they name none.
func (f relayFlags) wifiDirect(log *slog.Logger) (*wifidirect.Config, error) {
	if f.direct == "" {
		if f.directCircle != "" || f.directControl != "" || f.directPlaces != 0 {
			return nil, api.Fail(api.Usage, "--wifi-direct-circle, -control and -places go with --wifi-direct", "name the radio with --wifi-direct")
		}
		return nil, nil
	}
	if f.loopbackOnly {
		return nil, api.Fail(api.Usage, "--wifi-direct and --loopback-only contradict each other", "leave one out")
	}
	if f.directPlaces < 0 || f.directPlaces > maxWifiPlaces {
		return nil, api.Fail(api.Usage, fmt.Sprintf("--wifi-direct-places is 1 to %d", maxWifiPlaces), "")
	}
	driver := f.radio()
	driver.Log = log
	radio, err := supplicant.New(driver)
	if err != nil {
		return nil, api.Fail(api.Usage, "--wifi-direct: "+err.Error(), "ip link lists the interfaces")
	}
	c := &wifidirect.Config{Radio: radio, Hub: f.profile == "hub", Battery: onBattery, Places: f.directPlaces, Circle: f.directCircle, Tag: f.directTag}
	if f.groups != nil {
		c.Up, c.Down = func(g wifidirect.Group, _ wifidirect.Record) { f.groups.up(g) }, f.groups.down
	}
	return c, nil
}

// radio is where the radio and the program that drives it are.
func (f relayFlags) radio() supplicant.Config {
	return supplicant.Config{
		Iface: f.direct, Bus: os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"), Sockets: f.directControl, Circle: f.directCircle,
	}
}

// onBattery reports whether this machine's battery is being emptied (Linux; elsewhere nobody asks). A mouse's is not meant.
func onBattery() bool {
	read := func(file string) string {
		b, _ := os.ReadFile(file) // no file says nothing
		return strings.TrimSpace(string(b))
	}
	found, _ := filepath.Glob("/sys/class/power_supply/*")
	for _, dir := range found {
		if read(filepath.Join(dir, "status")) == "Discharging" && read(filepath.Join(dir, "scope")) != "Device" {
			return true
		}
	}
	return false
}
