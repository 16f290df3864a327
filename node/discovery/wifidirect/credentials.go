package wifidirect

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// A group's name is
//
//	DIRECT-ab-longear-ccccccccdddd
//
// where ab are two of the letters and digits that Wi-Fi Direct wants there, c is eight hex digits that tell groups apart, and d
// four that depend on all before them and on the circle: groups of another circle, and other people's that happen to look
// alike, are left alone.
const (
	nameBegin  = "DIRECT-"
	nameMiddle = "-longear-"
	tagDigits  = 8
	markDigits = 4
)

// circleKey is what credentials are derived from. A circle of people can choose a word of their own; the public circle is the
// empty word. The word keeps others off the link and out of the list of groups, no more.
func circleKey(circle string) []byte {
	h := sha256.Sum256([]byte("longear wi-fi direct 1\x00" + circle))
	return h[:]
}

func derive(circle, what, name string) []byte {
	m := hmac.New(sha256.New, circleKey(circle))
	m.Write([]byte(what + "\x00" + name))
	return m.Sum(nil)
}

// NewTag is a random tag for [GroupName].
func NewTag() string {
	var b [tagDigits / 2]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// GroupName is the name of a group in a circle. The tag is eight hex digits; anything else is hashed to some.
func GroupName(circle, tag string) string {
	if b, err := hex.DecodeString(tag); err != nil || len(b) != tagDigits/2 || strings.ToLower(tag) != tag {
		h := sha256.Sum256([]byte(tag))
		tag = hex.EncodeToString(h[:tagDigits/2])
	}
	begin := nameBegin + tag[:2] + nameMiddle + tag
	return begin + mark(circle, begin)
}

func mark(circle, begin string) string {
	return hex.EncodeToString(derive(circle, "name", begin)[:markDigits/2])
}

// OurName reports whether a group's name is one that longear makes in the circle.
func OurName(circle, name string) bool {
	rest, ok := strings.CutPrefix(name, nameBegin)
	if !ok || len(rest) != 2+len(nameMiddle)+tagDigits+markDigits || rest[2:2+len(nameMiddle)] != nameMiddle {
		return false
	}
	begin := name[:len(name)-markDigits]
	return name[len(begin):] == mark(circle, begin)
}

// Passphrase is what opens the group of that name: 16 characters that are easy to read out and to type.
func Passphrase(circle, name string) string {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(derive(circle, "passphrase", name)[:10])
	return strings.ToLower(text)
}
