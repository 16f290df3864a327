//go:build linux

package browser_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// phonesChecks are those of phones.mjs.
var phonesChecks = []string{
	"an address that is not secure", "the first feed", "a post, and it arrives at a second phone while it looks",
	"an alert is confirmed: seen at the other phone, on the board, by longear why", "a petition is signed", "a poll is voted in",
	"a photo goes from phone to phone, without its place, and to a file byte for byte", "a photo of longear send is seen in the page",
	"pictures of the feed", "a reload keeps key and messages", "two tabs", "carry files, both ways",
	"an author is muted, on this phone alone", "six languages, each with the hub's messages",
	"the form without script", "what is first needed does not come at once", "a page whose hub has another one by now", "1 Mbit/s and a slow processor", "the hub vanishes in the middle of a post", "a hub that answers 429", "a full hub",
	"forgetting empties what the browser keeps", "nothing was said wrongly, and nobody else was asked",
}

// phonesMessages is how many messages the phones find at their hub.
const phonesMessages = 200

// TestPhones: phones with the real page at a real hub do all that the page offers, also on a slow link, at a crowded hub, and at a full one.
func TestPhones(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	fetch(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	watchIn(t, phonesChecks, func() []string {
		s := newSquare(t)
		s.network("a")
		s.network("f")
		home := s.hub("a", "north gate", "water", phonesMessages, "--guest-forms", "--guest-channel", "all")
		s.hub("f", "full gate", "", 0, "--store-max", "1MB")
		t.Setenv("HUB_NAMESPACE", s.name+"a")
		args := []string{"ip", "netns", "exec", s.name + "p", node, "phones.mjs", chromium, s.program, home, fmt.Sprint(phonesMessages)}
		if *shots != "" {
			pictures, err := filepath.Abs(*shots)
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, pictures)
		}
		return args
	})
}
