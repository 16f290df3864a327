//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
)

// plainPhone: a phone with nothing installed and no Wi-Fi Direct joins the hub's group as any Wi-Fi, by its name and passphrase, gets an
// address, is led to the page by its own probe for the internet, posts, and the post reaches another node.
func plainPhone(w *world) {
	hub, member, phone := w.box(0), w.box(1), w.bare(2)
	hub.longear("hub", "--name", "north gate", "--guest-forms")
	hub.groupUp(60 * time.Second)
	member.relay()
	w.reach(120*time.Second, discovery.StateMember, member)
	tag, err := os.ReadFile(hub.dir + "/home/state/wifi-direct-tag")
	must(w, err)
	name := wifidirect.GroupName("", string(tag))
	must(w, os.WriteFile(phone.dir+"/wpa.conf", fmt.Appendf(nil, "network={\n ssid=%q\n psk=%q\n scan_ssid=1\n}\n", name, wifidirect.Passphrase("", name)), 0o600))
	start := time.Now()
	phone.start("supplicant", phone.logFile("supplicant"), "wpa_supplicant", "-t", "-Dnl80211", "-i", phone.wlan, "-c", phone.dir+"/wpa.conf", "-f", phone.dir+"/wpa.log")
	w.within(60*time.Second, "the phone is in the Wi-Fi", func() bool {
		log, _ := os.ReadFile(phone.dir + "/wpa.log")
		return strings.Contains(string(log), "CTRL-EVENT-CONNECTED")
	})
	w.note("phone in the Wi-Fi after %.1f s", time.Since(start).Seconds())
	w.within(30*time.Second, "the phone has an address", func() bool {
		return run("ip", "netns", "exec", phone.ns, "udhcpc", "-i", phone.wlan, "-n", "-q", "-f", "-t", "3", "-s", "/sbin/lease") == nil
	})
	w.note("with an address after %.1f s", time.Since(start).Seconds())
	w.within(20*time.Second, "the hub counts both", func() bool { return strings.HasPrefix(hub.wifi().Detail, "2 joined") })
	must(w, run("ip", "netns", "exec", phone.ns, "/init", "phone", "north gate", "posted by a phone"))
	w.within(60*time.Second, "the post is at the other node", func() bool {
		out, err := member.try("watch", "--no-follow", "--history", "-1")
		return err == nil && strings.Contains(out, "posted by a phone")
	})
	w.note("its post at another node after %.1f s", time.Since(start).Seconds())
}

// lease is what udhcpc calls with an address.
func lease() error {
	if len(os.Args) < 2 || os.Args[1] != "bound" && os.Args[1] != "renew" {
		return nil
	}
	return run("ip", "addr", "replace", os.Getenv("ip")+"/"+os.Getenv("mask"), "dev", os.Getenv("interface"))
}

// token is what a page's form sends back.
var token = regexp.MustCompile(`name="token" value="([^"]*)"`)

// visit is a phone's browser: the probe, the page, a post.
func visit(hub, text string) error {
	names := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, "192.168.49.1:53")
	}}
	browser := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: (&net.Dialer{Resolver: names}).DialContext}}
	get := func(at string) (*http.Response, string, error) {
		res, err := browser.Get(at)
		if err != nil {
			return nil, "", err
		}
		defer res.Body.Close()
		page, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		return res, string(page), err
	}
	res, page, err := get("http://connectivitycheck.gstatic.com/generate_204")
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if res.StatusCode == http.StatusNoContent || !strings.Contains(page, hub) && !strings.HasPrefix(res.Request.URL.Host, "192.168.49.1") {
		return fmt.Errorf("the probe was not answered by the hub: %s %s", res.Status, res.Request.URL)
	}
	_, page, err = get("http://192.168.49.1:8440/")
	if err != nil {
		return err
	}
	form := token.FindStringSubmatch(page)
	if !strings.Contains(page, hub) || form == nil {
		return errors.New("the page has no name of the hub, or no form")
	}
	post, err := http.NewRequest(http.MethodPost, "http://192.168.49.1:8440/post",
		strings.NewReader(url.Values{"text": {text}, "channel": {"all"}, "token": {form[1]}}.Encode()))
	if err != nil {
		return err
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("Origin", "null")
	// The program would send the form's Origin on to where it is led; browsers do not.
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := browser.Do(post)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("post: %s", answer.Status)
	}
	return nil
}
