package protocol

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The cost of turning a passphrase into a key: RFC 9106's second recommendation with one lane, so that one
// core of an old phone does it in a second or two. Changing one of them changes every channel.
const (
	argonTime   = 3
	argonMemory = 64 << 10 // KiB
)

// maxRawName bounds a name before it is normalised. NFC shortens the longest composable sequences less
// than fourfold, so every name of MaxChannelName bytes still fits in its decomposed form.
const maxRawName = 4 * MaxChannelName

// ParseChannelName gives the one canonical form of a public channel's name, without '#': "#Қала" and "қала" are the
// same channel. The steps are those of SPEC.md section 6 and depend on no language or place.
func ParseChannelName(s string) (string, error) {
	if len(s) > maxRawName || !utf8.ValidString(s) {
		return "", fmt.Errorf("a channel name is at most %d bytes of UTF-8", MaxChannelName)
	}
	name := norm.NFC.String(strings.TrimPrefix(s, "#"))
	name = norm.NFC.String(strings.Map(unicode.ToLower, name))
	if len(name) == 0 || len(name) > MaxChannelName {
		return "", fmt.Errorf("a channel name has 1 to %d bytes, this has %d", MaxChannelName, len(name))
	}
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) && r != '-' && r != '_' {
			return "", fmt.Errorf("a channel name has letters, digits, '-' and '_', not %q", r)
		}
	}
	return name, nil
}

// PublicChannel is the tag of the public channel of a name in any of its spellings.
func PublicChannel(name string) (Channel, error) {
	name, err := ParseChannelName(name)
	if err != nil {
		return Channel{}, err
	}
	return tagOf(domainPublic, name), nil
}

// DirectChannel is where every direct message is posted, whoever it is for.
func DirectChannel() Channel { return tagOf(domainDirectChannel, "") }

func tagOf(domain, name string) Channel {
	h := digest(domain, []byte(name))
	return Channel(h[:16])
}

// ChannelKey opens and seals the bodies of one open-secret or private channel. It is immutable and safe
// for concurrent use. Whoever has it reads everything that was and will be sealed with it.
type ChannelKey struct {
	secret [32]byte
	tag    Channel
	seal   [32]byte
}

// NewChannelKey makes the key of a new private channel.
func NewChannelKey() *ChannelKey {
	var secret [32]byte
	rand.Read(secret[:]) // never fails: the runtime crashes the program first
	return channelKey(secret)
}

// PassphraseChannel derives the key of the open-secret channel of a name and a passphrase, which takes about a
// tenth of a second and 64 MiB. It accepts weak passphrases, so that a channel somebody made elsewhere can be joined;
// CheckPassphrase is for whoever makes one.
func PassphraseChannel(name, passphrase string) (*ChannelKey, error) {
	name, err := ParseChannelName(name)
	if err != nil {
		return nil, err
	}
	if !utf8.ValidString(passphrase) || len(passphrase) > maxPassphrase || passphrase == "" {
		return nil, fmt.Errorf("a passphrase has 1 to %d bytes of UTF-8", maxPassphrase)
	}
	salt := tagOf(domainPassphrase, name)
	k := argon2.IDKey([]byte(norm.NFC.String(passphrase)), salt[:], argonTime, argonMemory, 1, 32)
	return channelKey([32]byte(k)), nil
}

// ParseChannelKey reads what Secret wrote.
func ParseChannelKey(s string) (*ChannelKey, error) {
	var secret [32]byte
	if err := decode32(secret[:], s, "a channel key"); err != nil {
		return nil, err
	}
	return channelKey(secret), nil
}

// channelKey derives what is shown and what is kept from the secret. The lengths are constants that HKDF
// allows, so its errors cannot occur.
func channelKey(secret [32]byte) *ChannelKey {
	k := &ChannelKey{secret: secret}
	tag, err1 := hkdf.Key(sha256.New, secret[:], nil, "longear/1 channel tag", len(k.tag))
	seal, err2 := hkdf.Key(sha256.New, secret[:], nil, "longear/1 channel seal", len(k.seal))
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	k.tag, k.seal = Channel(tag), [32]byte(seal)
	return k
}

// Tag is the channel's public tag. It says nothing about the key.
func (k *ChannelKey) Tag() Channel { return k.tag }

// Secret is the key in text form, 52 characters, to be handed to a member.
func (k *ChannelKey) Secret() string { return encode32(k.secret[:]) }

// String is the tag, so that printing a key by mistake gives nothing away.
func (k *ChannelKey) String() string { return k.tag.String() }

// GoString is the tag.
func (k *ChannelKey) GoString() string { return k.tag.String() }

// LogValue is the tag.
func (k *ChannelKey) LogValue() slog.Value { return k.tag.LogValue() }

// maxPassphrase bounds what is normalised and hashed.
const maxPassphrase = 1024

// CheckPassphrase refuses the passphrases that a graphics card finds in an afternoon: a sealed channel can be attacked
// offline by whoever holds one message of it.
func CheckPassphrase(passphrase string) error {
	if different(passphrase) < 4 || utf8.RuneCountInString(passphrase) < 16 {
		return fmt.Errorf("this passphrase can be guessed: take 4 or more different words, 16 or more characters, or a made one such as %s", NewPassphrase())
	}
	if len(passphrase) > maxPassphrase {
		return fmt.Errorf("a passphrase has at most %d bytes", maxPassphrase)
	}
	return nil
}

// different counts the different words of a passphrase.
func different(passphrase string) int {
	words := make(map[string]bool)
	for w := range strings.FieldsFuncSeq(passphrase, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) }) {
		words[w] = true
	}
	return len(words)
}

// NewPassphrase makes a passphrase of 80 random bits that can be read out: four groups of four
// letters and digits, all different, since CheckPassphrase counts different words.
func NewPassphrase() string {
	for {
		var b [10]byte
		rand.Read(b[:])
		s := encode32(b[:])
		s = s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
		if different(s) == 4 { // all but one in 175,000
			return s
		}
	}
}
