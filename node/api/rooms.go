package api

import (
	"errors"
	"fmt"
	"strings"

	"longear/protocol"
	"longear/store"
)

// Names and kinds of channels that no keyring holds.
const (
	directName  = "@" // where direct messages are, as it is shown
	kindDirect  = "direct"
	kindUnknown = "unknown"
)

// rooms finds channels by the names that people write. Public ones have a '#', sealed ones never: "water" can
// therefore not end up in "#water", where all could read it, because a key is missing.
type rooms struct {
	ring   *store.Keyring
	common map[protocol.Channel]string // wellKnown by tag
}

// wellKnown are names that people pick for public channels. A tag does not tell its name, so a message in a channel nobody
// here has named would be shown under a row of letters; these are recognised. A guess at more would gain little.
var wellKnown = [...]string{
	"all", "general", "news", "help", "sos", "water", "food", "medic", "medics", "medical", "doctor", "legal", "lost", "found",
	"missing", "shelter", "transport", "traffic", "power", "internet", "safety", "police", "weather", "market", "school", "work",
	"test", "hello", "chat", "music", "қала", "су", "көмек", "жаңалық", "вода", "помощь", "новости", "врачи", "مياه", "مساعدة", "آب", "کمک",
}

func newRooms(ring *store.Keyring) rooms {
	r := rooms{ring: ring, common: make(map[protocol.Channel]string, len(wellKnown))}
	for _, name := range wellKnown {
		if c, err := publicChannel(name); err == nil {
			r.common[c.Tag] = c.Name
		}
	}
	return r
}

// named finds the channel of a name that a person wrote. A public one always exists.
func (r rooms) named(name string) (store.KnownChannel, error) {
	if rest, public := strings.CutPrefix(name, "#"); public {
		return publicChannel(rest)
	}
	want, err := protocol.ParseChannelName(name)
	if err != nil {
		return store.KnownChannel{}, Fail(Usage, err.Error(), "name a public channel like '#water', with the quotes")
	}
	if c, err := r.ring.Find(want); err == nil && c.Key != nil {
		return c, nil
	}
	return store.KnownChannel{}, Fail(NotFound, fmt.Sprintf("no key of a channel %q is held here", want),
		fmt.Sprintf("'#%s', with the quotes, is the public channel; a sealed one is joined with longear channels join", want))
}

func publicChannel(name string) (store.KnownChannel, error) {
	canonical, err := protocol.ParseChannelName(name)
	if err != nil {
		return store.KnownChannel{}, Fail(Usage, err.Error(), "name a public channel like '#water'")
	}
	tag, err := protocol.PublicChannel(canonical)
	if err != nil {
		return store.KnownChannel{}, err
	}
	return store.KnownChannel{Name: canonical, Kind: store.Public, Tag: tag}, nil
}

// shownName is a known channel's name with the mark of its kind.
func shownName(c store.KnownChannel) string {
	if c.Kind == store.Public {
		return "#" + c.Name
	}
	return c.Name
}

// name is how a channel is shown: by name if it is known here, else by its tag.
func (r rooms) name(tag protocol.Channel) string {
	if tag == protocol.DirectChannel() {
		return directName
	}
	if c, ok := r.ring.At(tag); ok {
		return shownName(c)
	}
	if name, ok := r.common[tag]; ok {
		return "#" + name
	}
	return tag.String()
}

// seen is a channel that the keyring does not have.
func (r rooms) seen(tag protocol.Channel) Channel {
	c := Channel{Type: "channel", Tag: tag.String(), Kind: kindUnknown}
	if tag == protocol.DirectChannel() {
		c.Name, c.Kind = directName, kindDirect
	} else if name, ok := r.common[tag]; ok {
		c.Name, c.Kind = "#"+name, store.Public.String()
	}
	return c
}

// remember keeps a public channel's name, so that its messages are shown under it. It is a convenience: a full
// keyring, or a sealed channel that has the name already, is no reason not to post.
func (r rooms) remember(c store.KnownChannel) {
	if _, have := r.ring.At(c.Tag); !have {
		_ = r.ring.Add(c)
	}
}

// join holds the key of a channel from now on, or makes one. The text is what others need to join, if it was made here.
func (r rooms) join(j Join) (store.KnownChannel, string, error) {
	if rest, public := strings.CutPrefix(j.Name, "#"); public {
		c, err := publicChannel(rest)
		if err == nil && (j.Key != "" || j.Passphrase != "" || j.New) {
			err = Fail(Usage, "a public channel has no key", "write the name without '#' for a sealed channel")
		}
		if err != nil {
			return c, "", err
		}
		return c, "", r.add(c)
	}
	name, err := protocol.ParseChannelName(j.Name)
	if err != nil {
		return store.KnownChannel{}, "", Fail(Usage, err.Error(), "letters, digits, - and _")
	}
	c := store.KnownChannel{Name: name}
	if c.Kind, c.Key, err = keyOf(name, j); err != nil {
		return c, "", err
	}
	c.Tag = c.Key.Tag()
	secret := ""
	if j.New && j.Passphrase == "" {
		secret = c.Key.Secret()
	}
	return c, secret, r.add(c)
}

// add refuses a name that is taken: replacing its key silently would lose the old channel.
func (r rooms) add(c store.KnownChannel) error {
	if have, ok := r.ring.At(c.Tag); ok && have.Name == c.Name {
		return nil
	}
	if _, err := r.ring.Find(c.Name); err == nil {
		return Fail(Usage, fmt.Sprintf("a channel %q is known here already", c.Name), "leave it first (longear channels leave), or take another name here")
	}
	return r.ring.Add(c)
}

// keyOf reads, derives or makes the key that a Join asks for.
func keyOf(name string, j Join) (store.ChannelKind, *protocol.ChannelKey, error) {
	switch {
	case j.Key != "" && (j.Passphrase != "" || j.New):
		return 0, nil, Fail(Usage, "a channel has a key or a passphrase, made or given", "give one of them")
	case j.Key != "":
		key, err := protocol.ParseChannelKey(strings.TrimSpace(j.Key))
		if err != nil {
			return 0, nil, Fail(Usage, err.Error(), "the key is the line that \"longear channels new\" printed")
		}
		return store.Private, key, nil
	case j.Passphrase != "":
		if j.New {
			if err := protocol.CheckPassphrase(j.Passphrase); err != nil {
				return 0, nil, Fail(Usage, err.Error(), "longear channels new NAME --spoken makes a good one")
			}
		}
		key, err := protocol.PassphraseChannel(name, j.Passphrase)
		if err != nil {
			return 0, nil, Fail(Usage, err.Error(), "")
		}
		return store.OpenSecret, key, nil
	case j.New:
		return store.Private, protocol.NewChannelKey(), nil
	}
	return 0, nil, Fail(Usage, "a sealed channel needs its key or passphrase", "give --key-file or --passphrase-file; '#"+name+"' is public and needs none")
}

// leave forgets a channel and its key.
func (r rooms) leave(name string) error {
	c, err := r.named(name)
	if err != nil {
		return err
	}
	if have, ok := r.ring.At(c.Tag); ok {
		err = r.ring.Remove(have.Name)
	} else {
		err = store.ErrNoChannel
	}
	if errors.Is(err, store.ErrNoChannel) {
		return Fail(NotFound, fmt.Sprintf("the channel %q is not known here", name), "longear channels")
	}
	return err
}
