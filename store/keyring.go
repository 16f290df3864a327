package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"longear/protocol"
)

const keyringFile = "channels.json"

// Bounds of a keyring.
const (
	MaxChannels = 1024
	MaxAlias    = 64 // bytes
)

// ErrNoChannel is returned for a channel that the keyring does not know.
var ErrNoChannel = errors.New("no such channel: see `longear channels`")

// ChannelKind says who can read a channel.
type ChannelKind uint8

// The kinds.
const (
	// Public: anybody who knows the name.
	Public ChannelKind = iota
	// OpenSecret: who knows the name and the passphrase.
	OpenSecret
	// Private: who was given the key.
	Private

	channelKinds
)

var channelKindNames = [channelKinds]string{"public", "open-secret", "private"}

// String names the kind, as in the file.
func (k ChannelKind) String() string {
	if k >= channelKinds {
		return "unknown kind"
	}
	return channelKindNames[k]
}

// KnownChannel is a channel that the person follows.
type KnownChannel struct {
	// Name is the public name, or what the person calls a channel with a key. It is unique in the keyring.
	Name string
	Kind ChannelKind
	// Tag is where its messages are posted.
	Tag protocol.Channel
	// Key opens its bodies; nil for a public channel.
	Key *protocol.ChannelKey
}

// Keyring is the channels that the person follows, in a file of their own. It is safe for concurrent use by one process.
type Keyring struct {
	path string

	mu       sync.Mutex // guards channels, and is held while the file is written so that the last write wins
	channels []KnownChannel
}

// savedKeyring is the file.
type savedKeyring struct {
	Version  int            `json:"version"`
	Channels []savedChannel `json:"channels"`
}

type savedChannel struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Tag  string `json:"tag"`
	Key  string `json:"key,omitempty"`
}

const keyringVersion = 1

// OpenKeyring reads the keyring kept in a folder; it is empty if there is none. See [ErrExposed], [ErrDamaged].
func OpenKeyring(dir string) (*Keyring, error) {
	k := &Keyring{path: filepath.Join(dir, keyringFile)}
	b, err := readPrivate(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open keyring: %w", err)
	}
	if k.channels, err = parseKeyring(b); err != nil {
		return nil, fmt.Errorf("open keyring: %s: %w: restore it from a backup, or move it away and join the channels again", k.path, err)
	}
	return k, nil
}

func parseKeyring(b []byte) ([]KnownChannel, error) {
	var f savedKeyring
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, ErrDamaged
	}
	if f.Version > keyringVersion {
		return nil, errors.New("a later version of longear wrote it")
	}
	if f.Version != keyringVersion || len(f.Channels) > MaxChannels {
		return nil, ErrDamaged
	}
	all := make([]KnownChannel, 0, len(f.Channels))
	for _, s := range f.Channels {
		c, err := s.channel()
		if err != nil {
			return nil, ErrDamaged
		}
		all = append(all, c)
	}
	return all, nil
}

func (s savedChannel) channel() (KnownChannel, error) {
	c := KnownChannel{Name: s.Name, Kind: ChannelKind(slices.Index(channelKindNames[:], s.Kind))}
	var err error
	if c.Tag, err = protocol.ParseChannel(s.Tag); err != nil {
		return c, err
	}
	if s.Key != "" {
		if c.Key, err = protocol.ParseChannelKey(s.Key); err != nil {
			return c, err
		}
	}
	return c, c.check()
}

func (c *KnownChannel) check() error {
	switch {
	case c.Name == "" || len(c.Name) > MaxAlias:
		return fmt.Errorf("a channel's name has 1 to %d bytes", MaxAlias)
	case c.Kind >= channelKinds:
		return errors.New("no such kind of channel")
	case (c.Key == nil) != (c.Kind == Public):
		return errors.New("a public channel has no key, any other has one")
	case c.Key != nil && c.Key.Tag() != c.Tag:
		return errors.New("the key is another channel's")
	}
	return nil
}

// List returns the channels in the order they were added.
func (k *Keyring) List() []KnownChannel {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.channels)
}

// Find returns the channel of a name, which may have a leading '#', or [ErrNoChannel].
func (k *Keyring) Find(name string) (KnownChannel, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name = strings.TrimPrefix(name, "#")
	for _, c := range k.channels {
		if c.Name == name {
			return c, nil
		}
	}
	return KnownChannel{}, fmt.Errorf("%q: %w", name, ErrNoChannel)
}

// At returns the channel of a tag, or false.
func (k *Keyring) At(tag protocol.Channel) (KnownChannel, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.channels {
		if c.Tag == tag {
			return c, true
		}
	}
	return KnownChannel{}, false
}

// Add puts a channel in, in place of one with the same tag. A name that another channel has is an error.
func (k *Keyring) Add(c KnownChannel) error {
	c.Name = strings.TrimPrefix(c.Name, "#")
	if err := c.check(); err != nil {
		return fmt.Errorf("add channel: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(k.channels), func(o KnownChannel) bool { return o.Tag == c.Tag })
	for _, o := range next {
		if o.Name == c.Name {
			return fmt.Errorf("add channel: another one is called %q: choose a different name", c.Name)
		}
	}
	if len(next) >= MaxChannels {
		return fmt.Errorf("add channel: %d are enough: leave one first", MaxChannels)
	}
	return k.save(append(next, c))
}

// Remove takes a channel out, or returns [ErrNoChannel].
func (k *Keyring) Remove(name string) error {
	name = strings.TrimPrefix(name, "#")
	k.mu.Lock()
	defer k.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(k.channels), func(o KnownChannel) bool { return o.Name == name })
	if len(next) == len(k.channels) {
		return fmt.Errorf("%q: %w", name, ErrNoChannel)
	}
	return k.save(next)
}

// save writes the file and then believes it. The caller holds the mutex.
func (k *Keyring) save(channels []KnownChannel) error {
	f := savedKeyring{Version: keyringVersion, Channels: make([]savedChannel, 0, len(channels))}
	for _, c := range channels {
		s := savedChannel{Name: c.Name, Kind: c.Kind.String(), Tag: c.Tag.String()}
		if c.Key != nil {
			s.Key = c.Key.Secret()
		}
		f.Channels = append(f.Channels, s)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err == nil {
		err = writePrivate(k.path, b)
	}
	if err != nil {
		return fmt.Errorf("save keyring: %w", err)
	}
	k.channels = channels
	return nil
}
